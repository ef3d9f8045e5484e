// `npm run build`: src → dist.
import { build, requireNode } from './prepare.mjs';

requireNode();
build();
