import { z } from 'zod';

/** The value of a schema as it is handed about: nobody changes an answer. */
export type Json<Schema extends z.ZodType> = Frozen<z.infer<Schema>>;

type Frozen<Value> = Value extends readonly (infer Element)[]
  ? readonly Frozen<Element>[]
  : Value extends object
    ? { readonly [Key in keyof Value]: Frozen<Value[Key]> }
    : Value;

/** Fractions allowed. */
export const epochSeconds = z.number().describe('Epoch seconds.');

export const seconds = z.number().min(0).describe('Seconds.');

export const count = z.int().min(0);

/** A serial of 32 bits (RFC 1982). */
export const serial = z.int().min(0).max(4_294_967_295);
