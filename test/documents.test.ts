/** The documents that people read: their form, and that what they name is there. */
import { expect } from 'chai';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** As `printWidth` of the code. */
const WIDTH = 110;
/** Written by api-extractor. */
const GENERATED = 'seqlock-metrics.api.md';

const documents = new Map(
  [
    ...readdirSync('.').filter((name) => name.endsWith('.md')),
    ...readdirSync('docs')
      .filter((name) => name.endsWith('.md') && name !== GENERATED)
      .map((name) => join('docs', name)),
    'examples/collector/README.md',
  ].map((path) => [path, readFileSync(path, 'utf8')]),
);

const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };

/** Where a heading can be linked to, as GitHub makes it. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(' ', '-');
}

const withoutCode = (text: string): string => text.replaceAll(/^ *```[^]*?^ *```/gm, '');

function anchorsOf(path: string): string[] {
  const text = withoutCode(documents.get(path) ?? readFileSync(path, 'utf8'));
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading]) => anchorOf(heading!));
}

function brokenLinksOf(path: string, text: string): string[] {
  return [...text.matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/g)]
    .filter(([, file, anchor]) => {
      const target = file === '' ? path : join(dirname(path), file!);
      return !existsSync(target) || (anchor !== undefined && !anchorsOf(target).includes(anchor));
    })
    .map(([link]) => `${path}: ${link}`);
}

/** Lines of prose. Tables cannot be wrapped, and of a link only its words count. */
function longLinesOf(path: string, text: string): string[] {
  return withoutCode(text)
    .split('\n')
    .filter((line) => !/^\s*\|/.test(line) && line.replaceAll(/\]\([^)]*\)/g, ']').length > WIDTH)
    .map((line) => `${path}: ${line}`);
}

describe('documents', () => {
  it('are found', () => {
    expect([...documents.keys()]).to.include.members(['README.md', 'CHANGELOG.md', 'docs/design.md']);
  });

  it(`wrap prose at ${WIDTH} columns`, () => {
    expect([...documents].flatMap(([path, text]) => longLinesOf(path, text))).to.deep.equal([]);
  });

  it('link to files and headings that exist', () => {
    expect([...documents].flatMap(([path, text]) => brokenLinksOf(path, text))).to.deep.equal([]);
  });

  it('name files of the project that exist, with their folders or without', () => {
    const folders = ['src', 'test', 'bench', 'examples', 'scripts', 'native', 'docs'];
    const files = folders.flatMap((folder) =>
      readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((path) => `/${join(folder, path)}`),
    );
    files.push(...readdirSync('.').map((name) => `/${name}`));
    const named = [...documents].flatMap(([path, text]) =>
      [...text.matchAll(/[`(]([\w/.-]+\.(?:ts|mjs|pml|c|md))[`)]/g)]
        .filter(([, file]) => !/\.test\.ts$|^\./.test(file!) || file!.startsWith('test/'))
        .filter(([, file]) => !files.some((found) => found.endsWith(`/${file}`)))
        .map(([, file]) => `${path}: ${file}`),
    );
    expect(named).to.deep.equal([]);
  });

  it('name npm scripts that exist', () => {
    const missing = [...documents].flatMap(([path, text]) =>
      [...text.matchAll(/npm run ([a-z][a-z0-9:-]*)/g)]
        .filter(([, script]) => !Object.hasOwn(scripts, script!))
        .map(([, script]) => `${path}: ${script}`),
    );
    expect(missing).to.deep.equal([]);
  });

  it('have the words of the glossary in alphabetical order, each once', () => {
    const [, glossary] = /^## Words$([^]*?)^## /m.exec(documents.get('docs/design.md')!)!;
    const words = [...glossary!.matchAll(/^\| \*\*(.+?)\*\*/gm)].map(([, word]) => word!);
    expect(words.length).to.be.above(20);
    expect(words).to.deep.equal(
      [...new Set(words)].sort((a, b) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1)),
    );
  });

  it('quote only warnings that the code has', () => {
    const source = readdirSync('src', { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts'))
      .map((path) => readFileSync(join('src', path), 'utf8'))
      .join('\n');
    const [, tables] = documents.get('docs/troubleshooting.md')!.split('## Warnings');
    const quoted = [...tables!.matchAll(/^\| `(.+?)` \|/gm)].flatMap(([, message]) => message!.split('...'));
    const long = quoted.map((part) => part.trim()).filter((part) => part.length > 5);
    expect(long.length).to.be.above(80);
    expect(long.filter((part) => !source.includes(part))).to.deep.equal([]);
  });
});
