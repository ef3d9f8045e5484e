// `npm pack` and `npm publish`: a build of these sources and nothing left over from earlier ones.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { buildIfStale, installIfStale, requireNode, root } from './prepare.mjs';

requireNode();
installIfStale();
rmSync(join(root, 'dist'), { recursive: true, force: true });
buildIfStale();
