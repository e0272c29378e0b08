import {
  detectResources,
  hostDetector,
  osDetector,
  processDetector,
  serviceInstanceIdDetector,
} from '@opentelemetry/resources';
import { expect } from 'chai';
import { Environment } from '../../src/base/environment.ts';
import { attributesFrom, detectedResource } from '../../src/register/resource-detection.ts';

function read(variables: Record<string, string>) {
  const warnings: string[] = [];
  const environment = new Environment(variables, (message) => warnings.push(message));
  return { attributes: attributesFrom(environment), warnings };
}

describe('resource attributes of the environment', () => {
  it('are strings, percent-decoded; OTEL_SERVICE_NAME comes first', () => {
    expect(
      read({
        OTEL_RESOURCE_ATTRIBUTES: ' a = 1 ,b=x%2Cy%3Dz,,service.name=other,empty=,\u00fc=\u00e4 b,',
        OTEL_SERVICE_NAME: 'shop',
      }),
    ).to.deep.equal({
      attributes: { a: '1', b: 'x,y=z', 'service.name': 'shop', empty: '', '\u00fc': '\u00e4 b' },
      warnings: [],
    });
    expect(read({})).to.deep.equal({ attributes: {}, warnings: [] });
  });

  for (const wrong of ['b', 'b=c=d', '=c', 'b=%zz', '%=1'])
    it(`are none if one cannot be read, which is told once: ${wrong}`, () => {
      const { attributes, warnings } = read({
        OTEL_RESOURCE_ATTRIBUTES: `a=1,${wrong},d`,
        OTEL_SERVICE_NAME: 'shop',
      });
      expect(attributes).to.deep.equal({ 'service.name': 'shop' });
      expect(warnings).to.have.length(1);
      expect(warnings[0])
        .to.include(`OTEL_RESOURCE_ATTRIBUTES is ${JSON.stringify(wrong)}`)
        .and.include('"none of its attributes" is used');
    });

  it('come before what is detected', () => {
    const environment = new Environment(
      {
        OTEL_RESOURCE_ATTRIBUTES: 'service.instance.id=mine',
        OTEL_NODE_RESOURCE_DETECTORS: 'serviceinstance,env',
      },
      () => {},
    );
    expect(detectedResource(environment).attributes).to.include({ 'service.instance.id': 'mine' });
  });
});

describe('detectedResource', () => {
  const detected = (names?: string) =>
    detectedResource(
      new Environment(names === undefined ? {} : { OTEL_NODE_RESOURCE_DETECTORS: names }, () => {}),
    );

  it('finds what the official detectors find', async () => {
    const official = {
      host: hostDetector,
      os: osDetector,
      process: processDetector,
      'host,os,process': [hostDetector, osDetector, processDetector],
    };
    const { attributes: byDefault } = detected('none');
    for (const [names, detectors] of Object.entries(official)) {
      const theirs = detectResources({ detectors: [detectors].flat() });
      const ours = detected(names);
      await Promise.all([theirs.waitForAsyncAttributes?.(), ours.waitForAsyncAttributes?.()]);
      expect(ours.attributes, names).to.deep.equal({ ...byDefault, ...theirs.attributes });
    }
  });

  it('finds all by default, and nothing if told so', async () => {
    const all = detectResources({
      detectors: [hostDetector, osDetector, processDetector, serviceInstanceIdDetector],
    });
    const ours = detected();
    await Promise.all([all.waitForAsyncAttributes?.(), ours.waitForAsyncAttributes?.()]);
    const keys = [...Object.keys(detected('none').attributes), ...Object.keys(all.attributes)];
    expect(Object.keys(ours.attributes)).to.have.members(keys);
    expect(Object.keys(detected('none').attributes)).to.have.members([
      'service.name',
      'telemetry.sdk.language',
      'telemetry.sdk.name',
      'telemetry.sdk.version',
    ]);
  });

  it('gives each call another instance, in the form of a UUID', () => {
    const [one, other] = [detected(), detected()].map(
      ({ attributes }) => attributes['service.instance.id'] as string,
    );
    expect(one).to.match(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect(one).to.not.equal(other);
  });
});
