/**
 * Reads a file of OpenTelemetry's declarative configuration: YAML with references to environment variables
 * (specification, configuration data model).
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { shortText } from '../base/errors.ts';
import type { Variables } from '../base/environment.ts';

/** The parts of the package `yaml` that are used. */
interface Yaml {
  parseDocument(text: string, options: { readonly version: '1.2' }): Document;
  visit(document: Document, visitor: { readonly Scalar: (key: unknown, node: Scalar) => void }): void;
}

interface Document {
  readonly errors: readonly Error[];
  toJS(): unknown;
}

interface Scalar {
  value: unknown;
  readonly source?: string;
  readonly type?: string;
}

const REFERENCE = /\$\{([^}]+)\}/g;
const VARIABLE = /^(?:env:)?([A-Za-z_][A-Za-z0-9_]*)(?::-([^\n]*))?$/;

/** The content of a file. Throws an `Error` that says what is wrong, and where. */
export function readConfigurationFile(path: string, variables: Variables): unknown {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new Error(`the file cannot be read: ${(error as Error).message}`, { cause: error });
  }
  return parseConfiguration(text, variables);
}

export function parseConfiguration(text: string, variables: Variables): unknown {
  const yaml = loadYaml();
  const document = yaml.parseDocument(text, { version: '1.2' });
  const [error] = document.errors;
  if (error !== undefined) throw new Error(`it is no YAML: ${error.message}`, { cause: error });
  yaml.visit(document, {
    Scalar(key, node) {
      if (key === 'key' || typeof node.source !== 'string' || !node.source.includes('$')) return;
      const isPlain = node.type === 'PLAIN';
      const given = isPlain ? node.source : String(node.value);
      const substituted = withVariables(given, variables);
      if (substituted !== given) node.value = isPlain ? valueOf(substituted) : substituted;
    },
  });
  return document.toJS();
}

/** Replaces references to variables. `$$` is a dollar sign that begins none. */
function withVariables(text: string, variables: Variables): string {
  return text
    .split('$$')
    .map((part) =>
      part.replaceAll(REFERENCE, (reference, content: string) => {
        const [, name, otherwise = ''] = VARIABLE.exec(content) ?? [];
        if (name === undefined)
          throw new Error(
            `${shortText(reference)} is no reference to a variable; write \${NAME} or \${NAME:-default}, or $$ for a dollar sign`,
          );
        return variables[name] || otherwise;
      }),
    )
    .join('$');
}

/** A plain scalar by the core schema of YAML 1.2. It is never anything but a scalar. */
function valueOf(text: string): unknown {
  const plain = text.trim();
  if (/^(~|null|Null|NULL)?$/.test(plain)) return null;
  if (/^(true|True|TRUE)$/.test(plain)) return true;
  if (/^(false|False|FALSE)$/.test(plain)) return false;
  if (/^[-+]?[0-9]+$/.test(plain) || /^0(o[0-7]+|x[0-9a-fA-F]+)$/.test(plain)) return Number(plain);
  if (/^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/.test(plain)) return Number(plain);
  if (/^[-+]?\.(inf|Inf|INF)$/.test(plain)) return plain.startsWith('-') ? -Infinity : Infinity;
  return /^\.(nan|NaN|NAN)$/.test(plain) ? NaN : text;
}

function loadYaml(): Yaml {
  try {
    return createRequire(import.meta.url)('yaml') as Yaml;
  } catch (error) {
    throw new Error(
      `reading it needs the package yaml, which cannot be loaded (${(error as Error).message}): npm install yaml`,
      { cause: error },
    );
  }
}
