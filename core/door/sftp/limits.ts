/** Sizes of packets, the same as those of OpenSSH's server. */

/** The size of the longest packet, without its length field. */
export const maxPacket = 256 * 1024;
/** The most bytes of one read or write. */
export const maxData = maxPacket - 1024;
