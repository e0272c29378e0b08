import { expect } from 'chai';
import { OptionError, shortText, withoutCredentials } from '../../src/base/errors.ts';

describe('shortText', () => {
  it('shows a value in few characters, whatever it is', () => {
    for (const [value, text] of [
      ['a', '"a"'],
      [1n, '1n'],
      [undefined, 'undefined'],
      [{ a: [1] }, '{"a":[1]}'],
      [new Error('x'), 'Error: x'],
      ['x'.repeat(100), `"${'x'.repeat(76)}...`],
    ] as const)
      expect(shortText(value)).to.equal(text);
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    expect(shortText(proxy)).to.equal('[object]');
  });

  it('shows no header values, no passwords and no credentials in URLs', () => {
    for (const value of [
      { prometheus: { port: 1 }, otlp: { headers: { 'x-key': 'hunter2' } } },
      { headers: 'a=hunter2' },
      { Authorization: 'Bearer hunter2' },
      { bearerToken: 'hunter2', dbPassword: 'hunter2', apiKey: 'hunter2', client_secret: 'hunter2' },
      { 'process.command_args': ['node', '--db-password=hunter2'] },
      'http://user:hunter2@collector:4318/v1/metrics',
      'http://user:hunt/er2@hunter2@collector',
      { otlp: { url: 'https://user:hunter2@collector' } },
      new Error('connect to https://user:hunter2@collector failed'),
    ]) {
      expect(shortText(value)).not.to.include('hunter2').and.not.to.include('er2');
      expect(new OptionError('o', value, 'right').message).not.to.include('hunter2');
    }
    for (const option of ['otlp.headers', 'otlp.headers.a', 'bearerTokenSha256'])
      expect(new OptionError(option, 'hunter2', 'right').message).to.equal(
        `${option} is (not shown); it must be right`,
      );
    expect(shortText({ otlp: { url: 'https://u:p@collector', timeoutMillis: 1 } })).to.equal(
      '{"otlp":{"url":"https://***@collector","timeoutMillis":1}}',
    );
  });
});

describe('withoutCredentials', () => {
  it('leaves the rest of a text as it is', () => {
    expect(withoutCredentials('see https://a/b, mail a@b, or ftp://u@h/x and http://u:p@h')).to.equal(
      'see https://a/b, mail a@b, or ftp://***@h/x and http://***@h',
    );
  });
});
