import { followsEdgewise } from './follow.ts';

followsEdgewise('powerdns', 95);
