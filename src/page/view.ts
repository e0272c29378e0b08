import type { Look, Model } from './model.ts';
import type { Shell } from './shell.ts';

/** What a view works with. */
export interface Context {
  readonly model: Model;
  readonly shell: Shell;
  /** Says something to those who listen to the page. */
  readonly say: (text: string) => void;
}

/** One of the views of the page. It is made when it is opened, and thrown away when another one is. */
export interface View {
  readonly element: HTMLElement;
  readonly title: string;
  /** Shows what the model says now. */
  update(): void;
  /** What the view shows, which the server is then asked for. */
  look(): Look;
  close(): void;
  /** True if it used the key. */
  key?(event: KeyboardEvent): boolean;
}
