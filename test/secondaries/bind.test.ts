import { followsEdgewise } from './follow.ts';

followsEdgewise('bind', 92);
