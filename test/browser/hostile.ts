/** Texts that must be seen, and must not be obeyed. */
export const HOSTILE: readonly string[] = [
  '<img src=x onerror="alert(1)">',
  '</script><script>alert(1)</script>',
  '"><svg onload=alert(1)>',
  'javascript:alert(1)',
  '\u202egnp.exe\u2066\u200b',
  '\n\nevent: status\ndata: {"attention":[]}\n\n',
  '{{constructor.constructor("alert(1)")()}}',
  '__proto__',
  'x'.repeat(2 ** 20),
];
