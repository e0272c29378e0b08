import { emitKeypressEvents } from 'node:readline';
import { clearInterval, setInterval } from '../base/platform.ts';
import { sleep } from '../base/deadline.ts';
import type { MergedStream } from '../collect/directory/merged-stream.ts';
import { MetricSource } from '../collect/metric-source.ts';
import { Region } from '../memory/region.ts';
import { Activity, type Sample } from './activity.ts';
import { choice, EXIT, number, type Command } from './command.ts';
import { frameOf, shownStreams, SORTS, type Screen, type View } from './frame.ts';

const DEFAULT_INTERVAL_MILLIS = 1000;
const PIPE_SCREEN = { columns: 80, rows: 40 };
const ENTER_SCREEN = '\u001b[?1049h\u001b[?25l';
const LEAVE_SCREEN = '\u001b[?25h\u001b[?1049l';
const HOME = '\u001b[H';
const CLEAR_LINE = '\u001b[K';
const CLEAR_BELOW = '\u001b[J';

export const top: Command = {
  name: 'top',
  summary: 'shows live who records what, and what grows',
  synopsis: '[--interval <ms>] [--sort rate|series|new|name] [--filter <text>] <directory>',
  description:
    'Shows the threads of all processes (state, seconds for which the event loop is blocked, records a second) and the metrics that grow fastest. A record is an update of a series. Blocked seconds are known while an exporter of the app looks at threads; else they are "?".\nKeys: q quits; space pauses; s sorts by the next column; / filters by name, Enter ends that; up and down choose a metric, Enter opens it, Esc goes back.\nIf standard output is no terminal, it prints one frame without colours. NO_COLOR turns colours off.',
  options: {
    interval: {
      type: 'string',
      short: 'i',
      value: 'ms',
      help: 'Time from one frame to the next, 100 to 60000. Default 1000.',
    },
    sort: {
      type: 'string',
      short: 's',
      value: 'column',
      help: 'rate (records a second, the default), series, new (series), or name.',
    },
    filter: { type: 'string', value: 'text', help: 'Shows only metrics with this text in their name.' },
    once: { type: 'boolean', help: 'Prints one frame and ends, in a terminal, too.' },
  },
  exits: '0 ended by the user, or printed; 2 a wrong command line; 3 no store that can be read',
  examples: ['top /dev/shm/shop', 'top --sort series --filter http /dev/shm/shop | head -20'],
  async run(directory, values) {
    const interval = number(values, 'interval', 100, 60_000) ?? DEFAULT_INTERVAL_MILLIS;
    const view: View = {
      sort: choice(values, 'sort', SORTS),
      filter: (values['filter'] as string | undefined) ?? '',
      isFiltering: false,
      isPaused: false,
      opened: undefined,
      selected: 0,
    };
    const live = new Live(directory, view);
    if (process.stdout.isTTY && process.stdin.isTTY && values['once'] !== true) await live.run(interval);
    else {
      await sleep(interval);
      live.sample();
      const columns = process.stdout.isTTY ? process.stdout.columns : PIPE_SCREEN.columns;
      process.stdout.write(
        `${live.frame({ columns, rows: PIPE_SCREEN.rows, hasColor: false }).join('\n')}\n`,
      );
    }
    return EXIT.ok;
  },
};

interface Key {
  readonly name?: string;
  readonly ctrl?: boolean;
  readonly sequence?: string;
}

class Live {
  readonly #directory: string;
  #region: Region;
  #activity: Activity;
  #source: MetricSource;
  #sample: Sample;
  #view: View;

  constructor(directory: string, view: View) {
    this.#directory = directory;
    this.#view = view;
    this.#region = Region.copyOf(directory);
    this.#activity = new Activity(this.#region);
    this.#source = new MetricSource({ region: this.#region });
    this.#sample = this.#activity.sample();
  }

  /** Follows the app to a new store, if it has made one. */
  sample(): void {
    if (this.#region.copy?.isReplaced() === true)
      try {
        const region = Region.copyOf(this.#directory);
        this.#region.copy.close();
        this.#region = region;
        this.#activity = new Activity(region);
        this.#source = new MetricSource({ region });
        this.#view = { ...this.#view, opened: undefined };
      } catch {
        // There is none yet: what was copied last is shown.
      }
    this.#sample = this.#activity.sample();
  }

  frame(screen: Screen): string[] {
    return frameOf(this.#region, this.#sample, this.#view, screen, (stream, series) =>
      this.#valueOf(stream, series),
    );
  }

  async run(interval: number): Promise<void> {
    const { stdin, stdout } = process;
    const draw = (): void => {
      const { columns, rows } = stdout;
      const hasColor = (process.env['NO_COLOR'] ?? '') === '' && process.env['TERM'] !== 'dumb';
      const lines = this.frame({ columns, rows, hasColor }).slice(0, rows - 1);
      stdout.write(
        `${HOME}${[...lines, this.#hint(columns)].map((line) => line + CLEAR_LINE).join('\n')}${CLEAR_BELOW}`,
      );
    };
    stdout.write(ENTER_SCREEN);
    emitKeypressEvents(stdin);
    stdin.setRawMode(true);
    const leave = (): void => {
      stdin.setRawMode(false);
      stdout.write(LEAVE_SCREEN);
    };
    process.once('exit', leave);
    draw();
    await new Promise<void>((resolve) => {
      const timer = setInterval(() => {
        if (this.#view.isPaused) return;
        this.sample();
        draw();
      }, interval);
      stdout.on('resize', draw);
      process.once('SIGTERM', resolve);
      stdin.on('keypress', (_text: string | undefined, key: Key) => {
        if (key.ctrl === true && key.name === 'c') resolve();
        else if (this.#press(key)) resolve();
        else draw();
      });
      process.once('exit', () => clearInterval(timer));
      stdin.resume();
    });
    process.exit(EXIT.ok); // `leave` gives the terminal back
  }

  #hint(columns: number): string {
    const { isFiltering, filter, sort, opened } = this.#view;
    const text = isFiltering
      ? `filter: ${filter}_`
      : opened !== undefined
        ? 'Esc back  space pause  q quit'
        : `q quit  space pause  s sort (${sort})  / filter${filter === '' ? '' : ` (${filter})`}  Enter open`;
    return text.slice(0, columns);
  }

  /** True if the user has enough. */
  #press({ name, sequence = '' }: Key): boolean {
    const view = this.#view;
    if (view.isFiltering) {
      if (name === 'return' || name === 'escape') this.#view = { ...view, isFiltering: false };
      else if (name === 'backspace') this.#view = { ...view, filter: view.filter.slice(0, -1), selected: 0 };
      else if (/^[\u0020-\u007e]$/.test(sequence))
        this.#view = { ...view, filter: view.filter + sequence, selected: 0 };
      return false;
    }
    const shown = shownStreams(this.#sample, view);
    switch (name ?? sequence) {
      case 'q':
        return true;
      case 'space':
      case 'p':
        this.#view = { ...view, isPaused: !view.isPaused };
        break;
      case 's':
        this.#view = { ...view, sort: SORTS[(SORTS.indexOf(view.sort) + 1) % SORTS.length]! };
        break;
      case '/':
        this.#view = { ...view, isFiltering: true, filter: '' };
        break;
      case 'up':
      case 'k':
        this.#view = { ...view, selected: Math.max(0, view.selected - 1) };
        break;
      case 'down':
      case 'j':
        this.#view = { ...view, selected: Math.min(Math.max(0, shown.length - 1), view.selected + 1) };
        break;
      case 'return':
        this.#view = { ...view, opened: shown[view.selected]?.stream };
        break;
      case 'escape':
        this.#view = { ...view, opened: undefined };
        break;
      default:
    }
    return false;
  }

  /** The value of a series: its number, or how many values it has. */
  #valueOf(stream: MergedStream, series: number): string {
    const { name, scope } = stream.description;
    const column = this.#columnsOf().find(
      ({ description }) => description.name === name && description.scope.name === scope.name,
    );
    const row = column?.attributes.indexOf(stream.attributes[series]!) ?? -1;
    if (column === undefined || row < 0) return '-';
    const value = column.values[row * column.stride]!;
    return column.description.words === 1 ? String(Number(value.toPrecision(12))) : `count ${value}`;
  }

  #columns:
    { readonly of: Sample; readonly columns: ReturnType<MetricSource['columns']>['columns'] } | undefined;

  #columnsOf(): ReturnType<MetricSource['columns']>['columns'] {
    if (this.#columns?.of !== this.#sample)
      this.#columns = { of: this.#sample, columns: this.#source.columns().columns };
    return this.#columns.columns;
  }
}
