import { MetricReader } from '@opentelemetry/sdk-metrics';

/** The official reader and nothing else. */
export class TestReader extends MetricReader {
  protected override async onForceFlush(): Promise<void> {}
  protected override async onShutdown(): Promise<void> {}
}
