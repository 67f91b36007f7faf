/** Values that a JSON Schema allows, as fast-check draws them. It knows those keywords that our document has. */
import fc, { type Arbitrary } from "fast-check";

export interface JsonSchema {
  $ref?: string;
  type?: string | string[];
  enum?: unknown[];
  const?: unknown;
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  allOf?: JsonSchema[];
  properties?: Record<string, JsonSchema>;
  required?: string[];
  additionalProperties?: boolean | JsonSchema;
  propertyNames?: JsonSchema;
  items?: JsonSchema;
  minItems?: number;
  maxItems?: number;
  minLength?: number;
  maxLength?: number;
  pattern?: string;
  format?: string;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
}

/** So deep are members that need not be there: flags nest without end where groups or conditions name others. */
const MAX_DEPTH = 5;
/** Items and members beyond what is asked for: enough to meet each other. */
const MAX_MORE = 3;
/** Characters of a text; lengths at a limit are drawn besides. */
const MAX_TEXT = 24;
/** Numbers without a limit of their own are drawn up to here. */
const MAX_NUMBER = 1e9;

const FORMATS: Record<string, readonly string[]> = {
  "date-time": ["2030-01-31T12:00:00Z", "2020-02-29T23:59:59.999+14:00", "1970-01-01T00:00:00Z"],
  date: ["2030-01-31", "2020-02-29"],
  uri: ["https://example.com/a?b=c#d", "mailto:ann@example.com"],
};

/** Draws values of schemas that may refer to each other. */
export class Values {
  readonly #schemas: Record<string, JsonSchema>;
  readonly #made = new Map<JsonSchema, Map<number, Arbitrary<unknown>>>();

  constructor(schemas: Record<string, JsonSchema>) {
    this.#schemas = schemas;
  }

  /** Values that the schema allows. */
  of(schema: JsonSchema, depth = 0): Arbitrary<unknown> {
    const byDepth = this.#made.get(schema) ?? new Map<number, Arbitrary<unknown>>();
    this.#made.set(schema, byDepth);
    const found = byDepth.get(depth);
    if (found) return found;
    const made = this.#make(schema, depth);
    byDepth.set(depth, made);
    return made;
  }

  #make(schema: JsonSchema, depth: number): Arbitrary<unknown> {
    const { $ref, enum: values, const: value, anyOf, oneOf = anyOf, type } = schema;
    if ($ref !== undefined) return this.of(this.#schemas[$ref.split("/").at(-1)!]!, depth);
    if (values) return fc.constantFrom(...values);
    if (value !== undefined) return fc.constant(value);
    if (oneOf) return fc.oneof(...oneOf.map((one) => this.of(one, depth)));
    if (Array.isArray(type)) return fc.oneof(...type.map((one) => this.of({ ...schema, type: one }, depth)));
    switch (type) {
      case "string":
        return textOf(schema);
      case "number":
      case "integer":
        return numberOf(schema, type === "integer");
      case "boolean":
        return fc.boolean();
      case "null":
        return fc.constant(null);
      case "array":
        return this.#list(schema, depth);
      case "object":
        return this.#object(schema, depth);
      default:
        return fc.jsonValue({ maxDepth: 2 });
    }
  }

  #list({ items = {}, minItems = 0, maxItems = minItems + MAX_MORE }: JsonSchema, depth: number) {
    const most = depth >= MAX_DEPTH ? minItems : Math.min(maxItems, minItems + MAX_MORE);
    return fc.array(this.of(items, depth + 1), { minLength: minItems, maxLength: most });
  }

  #object(schema: JsonSchema, depth: number): Arbitrary<unknown> {
    const { properties = {}, required = [], additionalProperties: more = true, propertyNames } = schema;
    const there = Object.entries(properties).filter(([name]) => required.includes(name) || depth < MAX_DEPTH);
    const members = Object.fromEntries(there.map(([name, of]) => [name, this.of(of, depth + 1)]));
    const record = fc.record(members, { requiredKeys: required.filter((name) => name in members) });
    if (more === false || more === true || depth >= MAX_DEPTH) return record;
    const names = propertyNames ? this.of(propertyNames) : fc.string({ minLength: 1, maxLength: 12 });
    const others = fc.dictionary(names as Arbitrary<string>, this.of(more, depth + 1), { maxKeys: MAX_MORE });
    return fc.tuple(others, record).map(([all, own]) => ({ ...all, ...own }));
  }
}

function textOf({ format, pattern, minLength = 0, maxLength = MAX_TEXT }: JsonSchema): Arbitrary<string> {
  const examples = format === undefined ? undefined : FORMATS[format];
  if (examples) return fc.constantFrom(...examples);
  if (pattern !== undefined) return fc.stringMatching(new RegExp(pattern), { size: "-1" });
  const usual = { minLength, maxLength: Math.max(minLength, Math.min(maxLength, MAX_TEXT)) };
  return fc.oneof(
    { weight: 8, arbitrary: fc.string({ ...usual, unit: "grapheme-ascii" }) },
    // Of the characters beyond ASCII each counts as one or two, so that only half of them is sure to be allowed.
    {
      weight: 2,
      arbitrary: fc.string({
        minLength,
        maxLength: Math.max(minLength, usual.maxLength >> 1),
        unit: "binary",
      }),
    },
    { weight: 1, arbitrary: fc.constant("x".repeat(maxLength)) },
  );
}

function numberOf(schema: JsonSchema, whole: boolean): Arbitrary<number> {
  const { exclusiveMinimum, exclusiveMaximum } = schema;
  const min = schema.minimum ?? exclusiveMinimum ?? -MAX_NUMBER;
  const max = schema.maximum ?? exclusiveMaximum ?? Math.max(min, 0) + MAX_NUMBER;
  if (whole)
    return fc.integer({ min: Math.ceil(min), max: Math.floor(Math.min(max, Number.MAX_SAFE_INTEGER)) });
  return fc.double({
    min,
    max,
    noNaN: true,
    minExcluded: exclusiveMinimum !== undefined,
    maxExcluded: exclusiveMaximum !== undefined,
  });
}
