import { followsEdgewise } from './follow.ts';

followsEdgewise('knot', 94);
