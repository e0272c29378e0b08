/**
 * The scope of metrics that are made by name (`createMetricsProvider`). Their names and label names are valid
 * in Prometheus: every Prometheus text shows them unchanged, without labels of the scope.
 */
export const BY_NAME_SCOPE = 'seqlock-metrics/metrics-provider';
