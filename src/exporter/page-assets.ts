import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';

/** By path: the file, which scripts/build-page.mjs makes, and its type. */
const ASSETS: ReadonlyMap<string, readonly [file: string, type: string]> = new Map([
  ['/', ['page.html', 'text/html; charset=utf-8']],
  ['/page.js', ['page.js', 'text/javascript; charset=utf-8']],
  ['/page.css', ['page.css', 'text/css; charset=utf-8']],
]);

/** Nothing but what this server has, no script or style in the text, and no other site around it. */
const HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-cache',
};

const contents = new Map<string, Buffer>();

/** Answers with a file of the page. False if the path is none. */
export function answerAsset(path: string, request: IncomingMessage, response: ServerResponse): boolean {
  const asset = ASSETS.get(path);
  if (asset === undefined) return false;
  const [file, type] = asset;
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.writeHead(405, { allow: 'GET, HEAD', 'content-type': 'text/plain' }).end('only GET and HEAD\n');
    return true;
  }
  let content = contents.get(file);
  if (content === undefined)
    contents.set(file, (content = readFileSync(new URL(`page/${file}`, import.meta.url))));
  response.writeHead(200, { ...HEADERS, 'content-type': type, 'content-length': content.length });
  response.end(request.method === 'HEAD' ? undefined : content);
  return true;
}
