import { followsEdgewise } from './follow.ts';

followsEdgewise('nsd', 93);
