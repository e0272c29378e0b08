import { h, setText } from './dom.ts';

const SHOWN_MILLIS = 1500;

/** A button that copies a text, and says so. */
export function copyButton(textOf: () => string, say: (text: string) => void): HTMLButtonElement {
  const button = h('button', { type: 'button', onclick: () => void copy() }, 'Copy');
  async function copy(): Promise<void> {
    const isCopied = await write(textOf());
    const told = isCopied ? 'Copied' : 'Select it to copy';
    setText(button, told);
    say(told);
    setTimeout(() => setText(button, 'Copy'), SHOWN_MILLIS);
  }
  return button;
}

async function write(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Over plain HTTP from another machine there is no clipboard: the old way is left.
  }
  const area = h('textarea', { class: 'visually-hidden' });
  area.value = text;
  document.body.append(area);
  area.select();
  const isCopied = document.execCommand('copy');
  area.remove();
  return isCopied;
}
