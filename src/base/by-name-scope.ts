/**
 * The scope of metrics that are asked for by name (`createMetricsProvider`). Their names and label names are
 * Prometheus names already: each Prometheus text has them as they are, without labels of the scope.
 */
export const BY_NAME_SCOPE = 'seqlock-metrics/metrics-provider';
