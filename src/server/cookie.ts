/** Octets of a whole COOKIE option as we send it: the client's 8 and our 16 (RFC 9018 §4). */
export const COOKIE_LENGTH = 24;
