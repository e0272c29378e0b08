/** The page in the browser: opens views, and passes on what comes from the server and the keyboard. */
import { CardinalityView } from './cardinality.ts';
import { byId, setText } from './dom.ts';
import { Metric, noMetric } from './metric.ts';
import { Metrics } from './metrics.ts';
import { Model } from './model.ts';
import { Overview } from './overview.ts';
import { Shell } from './shell.ts';
import type { Context, View } from './view.ts';

const root = byId('view');
const model = new Model();
let view: View | undefined;
let isMissing = false;

const shell: Shell = new Shell(model, () => view?.update());
const context: Context = { model, shell, say: (text) => setText(byId('spoken'), text) };

function viewOf(hash: string): View {
  const [, kind = '', name = '', scope = ''] = hash.replace(/^#/, '').split('/').map(decoded);
  isMissing = false;
  if (kind === 'metrics') return new Metrics(context, name);
  if (kind === 'cardinality') return new CardinalityView(context);
  if (kind !== 'metric') return new Overview(context);
  const info = [...model.streams.values()].find((one) => one.name === name && one.scope === scope);
  isMissing = info === undefined;
  return info === undefined ? noMetric(name) : new Metric(context, info);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function open(): void {
  view?.close();
  view = viewOf(location.hash);
  root.replaceChildren(view.element);
  const kind = location.hash.split('/')[1] || 'overview';
  for (const link of document.querySelectorAll<HTMLElement>('nav a')) {
    const isCurrent = link.dataset['view'] === (kind === 'metric' ? 'metrics' : kind);
    if (isCurrent) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  view.update();
  model.look(view.look());
  window.scrollTo(0, 0);
  context.say(view.title);
}

function refresh(): void {
  if (isMissing) open(); // it may have come meanwhile
  shell.refresh();
  if (view === undefined) return;
  if (!shell.isPaused) view.update();
  model.look(view.look());
}

function pressed(event: KeyboardEvent): void {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const target = event.target as HTMLElement;
  const isTyping = target.matches('input, select, textarea');
  if (isTyping && event.key !== 'Escape') return;
  if (view?.key?.(event) === true) event.preventDefault();
  else if (event.key === ' ' && !target.matches('button, a, summary')) {
    event.preventDefault();
    shell.pause();
  } else if (event.key === '/') {
    event.preventDefault();
    location.hash = '#/metrics';
  } else if (['1', '2', '3'].includes(event.key))
    location.hash = ['#/', '#/metrics', '#/cardinality'][Number(event.key) - 1]!;
}

model.onChange = refresh;
window.addEventListener('hashchange', open);
document.addEventListener('keydown', pressed);
shell.refresh();
open();
model.start();
