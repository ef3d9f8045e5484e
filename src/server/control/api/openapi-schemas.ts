import { z } from 'zod';

/** JSON Schema 2020-12, as OpenAPI 3.1 has it. */
export type JsonSchema = { readonly [keyword: string]: unknown };

/** Turns zod schemas into those of an OpenAPI document; the ones with an `id` become components. */
export class SchemaComponents {
  private readonly found = new Map<string, JsonSchema>();

  /** Sorted by name. */
  get schemas(): { readonly [id: string]: JsonSchema } {
    return Object.fromEntries([...this.found].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /**
   * `io`: of what is sent along (`input`) or answered (`output`). A schema with an `id` gives a reference. Throws where
   * two schemas have one id.
   */
  of(schema: z.ZodType, io: 'input' | 'output'): JsonSchema {
    // Within another one, a schema with an id is always a reference.
    const { properties, $defs } = convert(z.object({ schema }), io);
    for (const [id, definition] of Object.entries($defs)) this.add(id, relocated(definition));
    return relocated(properties.schema);
  }

  private add(id: string, { id: _, ...schema }: JsonSchema): void {
    const known = this.found.get(id);
    if (known !== undefined && JSON.stringify(known) !== JSON.stringify(schema)) {
      throw new Error(`two schemas are called ${id}`);
    }
    this.found.set(id, schema);
  }
}

const converted = z.object({
  properties: z.object({ schema: z.record(z.string(), z.unknown()) }),
  $defs: z.record(z.string(), z.record(z.string(), z.unknown())).default({}),
});

function convert(schema: z.ZodType, io: 'input' | 'output'): z.infer<typeof converted> {
  const made = z.toJSONSchema(schema, {
    io,
    override: ({ jsonSchema }) => {
      // Clients must not refuse keys that later versions add.
      if (jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
    },
  });
  return converted.parse(made);
}

/** With references as they are within an OpenAPI document. */
function relocated(schema: JsonSchema): JsonSchema {
  const text = JSON.stringify(schema).replaceAll('"$ref":"#/$defs/', '"$ref":"#/components/schemas/');
  return JSON.parse(text) as JsonSchema;
}
