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
