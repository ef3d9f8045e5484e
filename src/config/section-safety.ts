/** The section `safety`: what keeps checks that err, or fail all together, from emptying a network's answers. */
import { z } from 'zod';
import { optional, section } from './fields.ts';

const network = section({
  fill: optional(z.enum(['failing', 'none'], { error: 'expected failing or none' }), 'failing' as const),
});

export const safety = optional(
  z.record(z.string(), network, { error: 'expected a map from networks to their safety rules' }),
  {},
);

/**
 * The safety rules of one network. `fill`: whether members that fail keep the places for which no edge passes
 * (`failing`, edgemanage's rule), or leave them empty (`none`).
 */
export type SafetyConfig = z.output<typeof network>;
