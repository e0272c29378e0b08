import { request as requestHttp, type ClientRequest, type RequestOptions } from 'node:http';
import { request as requestHttps } from 'node:https';
import { urlToHttpOptions } from 'node:url';
import { gzipSync } from 'node:zlib';
import { globalRegistry, type Registry } from './registry.ts';
import type { RegistryContentType } from './types.ts';

type Answer = Promise<{ resp?: unknown; body?: unknown }>;

/** Pushes the metrics of a registry to a Pushgateway. */
export class Pushgateway<T extends RegistryContentType> {
  registry: Registry<any>;
  gatewayUrl: string;
  requireJobName: boolean;
  requestOptions: RequestOptions;

  /** `options`: of Node's `http.request`; also `requireJobName`, by default true. */
  constructor(url: string, options?: any, registry?: Registry<T>) {
    this.registry = registry || globalRegistry;
    this.gatewayUrl = url;
    const { requireJobName, ...requestOptions } = { requireJobName: true, ...options };
    this.requireJobName = requireJobName;
    this.requestOptions = requestOptions;
  }

  /** Replaces the metrics of the same names in the group. */
  pushAdd(params?: Pushgateway.Parameters): Answer {
    return this.#send('POST', params);
  }

  /** Replaces all metrics of the group. */
  push(params?: Pushgateway.Parameters): Answer {
    return this.#send('PUT', params);
  }

  /** Deletes all metrics of the group. */
  delete(params?: Pushgateway.Parameters): Answer {
    return this.#send('DELETE', params);
  }

  #send(method: string, { jobName, groupings }: Partial<Pushgateway.Parameters> = {}): Answer {
    if (this.requireJobName && !jobName) throw new Error('Missing jobName parameter');
    return this.#request(method, jobName ? `/job/${encodeURIComponent(jobName)}${groupPath(groupings)}` : '');
  }

  async #request(method: string, jobPath: string): Answer {
    const url = new URL(this.gatewayUrl);
    const path = `${url.pathname === '/' ? '' : url.pathname}/metrics${jobPath}`;
    url.pathname = path;
    url.search = '';
    const options: RequestOptions = { ...urlToHttpOptions(url), ...this.requestOptions, method };
    const headers = options.headers as Readonly<Record<string, string>> | undefined;
    const { 'Content-Encoding': encoding, ...others } = headers ?? {};
    if (method === 'DELETE' && headers !== undefined) options.headers = others;
    const body = method === 'DELETE' ? undefined : await this.registry.metrics();
    return new Promise((resolve, reject) => {
      const send = url.protocol === 'https:' ? requestHttps : requestHttp;
      const request: ClientRequest = send(options, (resp) => {
        let text = '';
        resp.setEncoding('utf8');
        resp.on('data', (chunk: string) => (text += chunk));
        resp.on('end', () => {
          if (resp.statusCode! >= 400)
            reject(new Error(`push failed with status ${resp.statusCode}, ${text}`));
          else resolve({ resp, body: text });
        });
      });
      request.on('error', reject);
      request.on('timeout', () => request.destroy(new Error('Pushgateway request timed out')));
      request.end(encoding === 'gzip' && body !== undefined ? gzipSync(body) : body);
    });
  }
}

function groupPath(groupings: Readonly<Record<string, string>> = {}): string {
  return Object.entries(groupings)
    .map(([name, value]) => `/${encodeURIComponent(name)}/${encodeURIComponent(value)}`)
    .join('');
}

export declare namespace Pushgateway {
  interface Parameters {
    jobName: string;
    groupings?: { [key: string]: string };
  }
}
