import type { CollectionResult } from '@opentelemetry/sdk-metrics';
import type { Resource } from '../collect/metric-data.ts';

type OfficialResource = CollectionResult['resourceMetrics']['resource'];

/**
 * The resource of a collection: the app's own object, if it has everything that the official type promises.
 */
export function collectedResource(resource: Resource): OfficialResource {
  return 'merge' in resource && 'getRawAttributes' in resource
    ? (resource as OfficialResource)
    : new CollectedResource(resource);
}

class CollectedResource implements OfficialResource {
  readonly attributes: OfficialResource['attributes'];
  declare readonly schemaUrl?: string;

  constructor({ attributes, schemaUrl }: Resource) {
    this.attributes = attributes;
    if (schemaUrl !== undefined) this.schemaUrl = schemaUrl;
  }

  get asyncAttributesPending(): boolean {
    return false;
  }

  getRawAttributes(): ReturnType<OfficialResource['getRawAttributes']> {
    return Object.entries(this.attributes);
  }

  /** Attributes of both; if both have one, that of the other counts. */
  merge(other: OfficialResource | null): OfficialResource {
    if (other === null) return this;
    const urls = new Set([this.schemaUrl, other.schemaUrl].filter((url) => url !== undefined && url !== ''));
    const [schemaUrl] = urls.size === 1 ? urls : [];
    const attributes = { ...this.attributes, ...other.attributes };
    return new CollectedResource({ attributes, ...(schemaUrl !== undefined && { schemaUrl }) });
  }
}
