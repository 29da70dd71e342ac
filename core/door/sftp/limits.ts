/** How large packets are: as OpenSSH's server has them, which its clients are used to. */

/** The longest packet, without its length. */
export const maxPacket = 256 * 1024;
/** The most that is read or written by one. */
export const maxData = maxPacket - 1024;
