/**
 * The shape of src/ as docs/design.md has it. Whoever changes a table here changes the design, and says so
 * there in the same commit.
 */
import { expect } from 'chai';
import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';

/** A smell alarm: one idea may take a file of this length. */
const LINE_LIMIT = 600;
/** Of a line of a comment, with the comments behind code. The formatter keeps code to it, and leaves comments. */
const COMMENT_WIDTH = 110;

/** What a layer may import besides itself. Writing (sdk) and reading (collect, export) meet in shared memory only. */
const IMPORTABLE: ReadonlyMap<string, readonly string[]> = new Map([
  ['base', []],
  ['memory', ['base']],
  ['state', ['memory', 'base']],
  ['sdk', ['state', 'base']],
  ['collect', ['state', 'memory', 'base']],
  ['export', ['collect', 'base']],
  ['exporter', ['export', 'collect', 'state', 'memory', 'base']],
  ['page', ['exporter']],
  ['thread', ['exporter', 'state', 'memory', 'base']],
  ['cli', ['exporter', 'export', 'collect', 'state', 'memory', 'base']],
  ['facade', ['sdk', 'collect', 'export', 'state', 'memory', 'base']],
  ['register', ['facade', 'thread', 'exporter', 'state', 'base']],
  ['prom-client', ['sdk', 'collect', 'state', 'memory', 'base']],
  // index.ts; the store is a public name of `state`, the Seqlock one of `memory`
  ['(root)', ['facade', 'thread', 'exporter', 'sdk', 'collect', 'export', 'state', 'memory', 'base']],
]);

/** Folders of `collect`, from the lowest to the highest: each imports those before it. */
const COLLECT_UP = ['directory', 'rows', 'snapshot'];

/** Code of the browser: it is bundled, with the packages it needs, and knows nothing of the rest but what is sent. */
const IN_BROWSER = /^page\//;
const SHARED_WITH_BROWSER = 'exporter/page-protocol.ts';

/** Packages a user has anyway, and Node's own modules. */
const PACKAGES = /^(node:[a-z0-9_/]+|@opentelemetry\/(api|sdk-metrics))$/;
/** Code of the SDK's package is loaded here only; anywhere else its types may be used. The standard provider is made of it. */
const MAY_LOAD_SDK = ['exporter/push.ts', 'facade/official-sdk.ts'];
/** They set loggers. What is told goes through `base/warnings.ts` everywhere. */
const MAY_USE_DIAG = ['base/warnings.ts', 'register/register.ts', 'thread/entry.ts'];
/** Globals that tests of an app may fake; see `base/platform.ts`. */
const PLATFORM =
  /(?<![.\w'"-])(performance|queueMicrotask|(?:set|clear)(?:Timeout|Interval|Immediate))(?=\s*[.(])|\bDate\.now\b|\bnew Date\b|\bprocess\.(?:nextTick|hrtime)\b/g;
/** Peers that are loaded where they are used and when they are used. */
const MAY_REQUIRE = [
  'export/password-check.ts -> bcryptjs',
  'export/web-config.ts -> yaml',
  'facade/official-sdk.ts -> @opentelemetry/sdk-metrics',
  'exporter/push.ts -> @opentelemetry/sdk-metrics',
  'facade/metrics/metrics-config.ts -> smol-toml',
  'memory/native.ts -> koffi',
];

interface Import {
  readonly specifier: string;
  readonly typeOnly: boolean;
}

const sources = new Map(
  readdirSync('src', { recursive: true, encoding: 'utf8' })
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => path.endsWith('.ts'))
    .map((path) => [path, readFileSync(posix.join('src', path), 'utf8')]),
);

const IMPORT =
  /^\s*(?:import|export)\s+(type\s)?(?:[^'";]*?\sfrom\s+)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/gm;

function importsOf(source: string): Import[] {
  return [...source.matchAll(IMPORT)].map(([, type, specifier, dynamic]) => ({
    specifier: (specifier ?? dynamic)!,
    typeOnly: type !== undefined,
  }));
}

function filesImportedBy(path: string): string[] {
  return importsOf(sources.get(path)!)
    .filter(({ specifier }) => specifier.startsWith('.'))
    .map(({ specifier }) => posix.join(posix.dirname(path), specifier));
}

/** Without comments, and what is in quotes. */
function codeOf(source: string): string {
  return source.replaceAll(/\/\*[^]*?\*\/|(?<![:'"])\/\/.*$|`[^`]*`|'[^'\n]*'/gm, '');
}

/** Names that a source imports from a file of src/. */
function importedFrom(source: string, file: string): string[] {
  return [...source.matchAll(/import \{([^}]*)\} from '([^']*)'/g)]
    .filter(([, , specifier]) => file.endsWith(specifier!.replace(/^(\.\.?\/)+/, '')))
    .flatMap(([, names]) => names!.split(',').map((name) => name.trim()));
}

function layerOf(path: string): string {
  return path.includes('/') ? path.slice(0, path.indexOf('/')) : '(root)';
}

/** Files that can be reached from `path` and lead back to it, in one walk. */
function cycleThrough(path: string): string[] | undefined {
  const cameFrom = new Map<string, string>();
  const queue = [path];
  for (let file; (file = queue.shift()) !== undefined;) {
    for (const next of filesImportedBy(file)) {
      if (next === path) return trail(cameFrom, path, file);
      if (cameFrom.has(next)) continue;
      cameFrom.set(next, file);
      queue.push(next);
    }
  }
  return undefined;
}

function trail(cameFrom: ReadonlyMap<string, string>, first: string, last: string): string[] {
  const path = [first];
  for (let file = last; file !== first; file = cameFrom.get(file)!) path.unshift(file);
  return [first, ...path];
}

describe('architecture', () => {
  it('finds the sources and their imports', () => {
    expect([...sources.keys()]).to.include.members([
      'index.ts',
      'memory/layout.ts',
      'facade/meter-provider.ts',
    ]);
    expect(filesImportedBy('index.ts')).to.include.members(['base/errors.ts', 'facade/meter-provider.ts']);
    expect(
      importsOf(
        "import {\n  a,\n} from './a.ts';\nimport type { B } from 'b';\nimport './c.ts';\nawait import('d')",
      ),
    ).to.deep.equal([
      { specifier: './a.ts', typeOnly: false },
      { specifier: 'b', typeOnly: true },
      { specifier: './c.ts', typeOnly: false },
      { specifier: 'd', typeOnly: false },
    ]);
  });

  it('knows every folder as a layer', () => {
    expect([...IMPORTABLE.keys()]).to.include.members([...sources.keys()].map(layerOf));
  });

  it('is what the table in docs/design.md says', () => {
    const table = [
      ...readFileSync('docs/design.md', 'utf8').matchAll(/^\| `([\w.-]+)` \| [^|]* \| ([a-z, ]+) \|$/gm),
    ];
    const shown = table.map(([, layer, imports]) => [
      layer === 'index.ts' ? '(root)' : layer,
      imports === 'nothing' ? [] : imports!.split(', '),
    ]);
    expect(shown).to.have.deep.members([...IMPORTABLE]);
  });

  it('has no file that imports what its layer may not see', () => {
    const wrong = [...sources.keys()].flatMap((path) =>
      filesImportedBy(path)
        .filter(
          (file) =>
            layerOf(file) !== layerOf(path) && !IMPORTABLE.get(layerOf(path))!.includes(layerOf(file)),
        )
        .map((file) => `${path} -> ${file}`),
    );
    expect(wrong).to.deep.equal([]);
  });

  it('has no file of collect that imports one further up', () => {
    const height = (path: string): number => COLLECT_UP.indexOf(path.split('/')[1]!);
    const wrong = [...sources.keys()]
      .filter((path) => height(path) >= 0)
      .flatMap((path) =>
        filesImportedBy(path)
          .filter((file) => layerOf(file) === 'collect' && height(file) > height(path))
          .map((file) => `${path} -> ${file}`),
      );
    expect(wrong).to.deep.equal([]);
  });

  it('has no file that imports another package than those the user has anyway', () => {
    const wrong = [...sources].flatMap(([path, source]) =>
      importsOf(source)
        .filter(
          ({ specifier }) =>
            !specifier.startsWith('.') && !PACKAGES.test(specifier) && !IN_BROWSER.test(path),
        )
        .map(({ specifier }) => `${path} -> ${specifier}`),
    );
    expect(wrong).to.deep.equal([]);
  });

  it('shares types with the browser, and nothing else', () => {
    const shared = [...sources.keys()]
      .filter((path) => IN_BROWSER.test(path))
      .flatMap((path) =>
        importsOf(sources.get(path)!)
          .map(({ specifier, typeOnly }) => ({
            typeOnly,
            file: posix.join(posix.dirname(path), specifier),
          }))
          .filter(({ file }) => file.startsWith('exporter/')),
      );
    expect(shared.length).to.be.above(5);
    expect(shared.filter(({ file, typeOnly }) => file !== SHARED_WITH_BROWSER || !typeOnly)).to.deep.equal(
      [],
    );
    expect(importsOf(sources.get(SHARED_WITH_BROWSER)!)).to.deep.equal([]);
    const loading = [...sources.keys()].filter(
      (path) => !IN_BROWSER.test(path) && filesImportedBy(path).some((file) => IN_BROWSER.test(file)),
    );
    expect(loading).to.deep.equal([]);
  });

  it('requires optional peers in one place each', () => {
    const found = [...sources].flatMap(([path, source]) =>
      [...source.matchAll(/\brequire\(\s*['"]([^'"]+)/g)].map(([, specifier]) => `${path} -> ${specifier}`),
    );
    expect(found).to.have.members(MAY_REQUIRE);
  });

  it('loads code of the official SDK in one place, and uses its types elsewhere', () => {
    const loading = [...sources]
      .filter(([, source]) =>
        importsOf(source).some(
          ({ specifier, typeOnly }) => specifier === '@opentelemetry/sdk-metrics' && !typeOnly,
        ),
      )
      .map(([path]) => path);
    expect(loading).to.have.members(MAY_LOAD_SDK);
  });

  it('loads nothing of the write side in the exporter thread but the state it reads', () => {
    const loaded = new Set(['thread/entry.ts']);
    for (const path of loaded)
      for (const { specifier, typeOnly } of importsOf(sources.get(path)!))
        if (specifier.startsWith('.') && !typeOnly) loaded.add(posix.join(posix.dirname(path), specifier));
    expect([...loaded].filter((path) => ['sdk', 'facade', '(root)'].includes(layerOf(path)))).to.deep.equal(
      [],
    );
    expect(loaded.size, 'files of the thread').to.be.above(20);
  });

  it('has nothing of threads in the exporter, which any thread or process can run', () => {
    const wrong = [...sources].filter(
      ([path, source]) => layerOf(path) === 'exporter' && /worker_threads|parentPort|new Worker/.test(source),
    );
    expect(wrong.map(([path]) => path)).to.deep.equal([]);
  });

  it('takes timers and clocks from base/platform.ts, so that fake ones cannot stop it', () => {
    const wrong = [...sources]
      .filter(([path]) => path !== 'base/platform.ts' && !IN_BROWSER.test(path))
      .flatMap(([path, source]) => {
        const taken = importedFrom(source, 'base/platform.ts');
        return [...codeOf(source).matchAll(PLATFORM)]
          .map(([text, name]) => (name === undefined || !taken.includes(name) ? text : ''))
          .filter((text) => text !== '')
          .map((text) => `${path}: ${text}`);
      });
    expect(wrong).to.deep.equal([]);
  });

  it('tells of what goes wrong in one way, so that a logger that throws or is missing is minded', () => {
    const wrong = [...sources]
      .filter(([path, source]) => !MAY_USE_DIAG.includes(path) && /\bdiag\b/.test(codeOf(source)))
      .map(([path]) => path);
    expect(wrong).to.deep.equal([]);
  });

  it('has no import cycle, types included', () => {
    expect([...sources.keys()].map(cycleThrough).filter((cycle) => cycle !== undefined)).to.deep.equal([]);
  });

  it(`has no comment that is wider than ${COMMENT_WIDTH} columns`, () => {
    const wide = [...sources].flatMap(([path, source]) =>
      source
        .split('\n')
        .map((line, i) => ({ line, at: `${path}:${i + 1}` }))
        .filter(({ line }) => line.length > COMMENT_WIDTH && /^\s*(\/\/|\/?\*)|\S \/\/ /.test(line))
        .map(({ at }) => at),
    );
    expect(wide).to.deep.equal([]);
  });

  it(`has no file of more than ${LINE_LIMIT} lines`, () => {
    const lines = (source: string): number => source.trimEnd().split('\n').length;
    expect(
      [...sources].filter(([, source]) => lines(source) > LINE_LIMIT).map(([path]) => path),
    ).to.deep.equal([]);
  });
});
