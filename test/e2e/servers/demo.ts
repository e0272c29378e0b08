import { expect } from 'chai';
import { serve, untilReady, type Server } from './processes.ts';

export interface Demo extends Server {
  readonly serviceUrl: string;
  readonly metricsUrl: string;
}

/** The demo of examples/, which has answered `requests` when this resolves, and stays up. */
export async function startDemo(requests: number, ...args: readonly string[]): Promise<Demo> {
  const program = ['build/examples/demo/main.js', '--requests', String(requests), '--serve', '--idle'];
  const server = serve(process.execPath, program.concat(args));
  const urls = (): RegExpExecArray | null => /Service {2}(\S+)\nMetrics {2}(\S+)\n/.exec(server.log());
  await untilReady(server, 'the demo', () => Promise.resolve(urls() !== null));
  const [, serviceUrl, metricsUrl] = urls()!;
  expect(server.log()).to.include('All numbers are equal.');
  return { ...server, serviceUrl: serviceUrl!, metricsUrl: metricsUrl! };
}
