/** Loads the code of a door; only that of open doors is loaded. */
import type { DoorName, OpenDoor } from "../door/door.ts";

const loaders: Record<DoorName, () => Promise<{ readonly openDoor: OpenDoor }>> = {
  native: () => import("../door/native/listen.ts"),
  http: () => import("../door/http/listen.ts"),
  ftp: () => import("../door/ftp/listen.ts"),
  ftps: () => import("../door/ftp/listen.ts"),
  sftp: () => import("../door/sftp/listen.ts"),
};

export async function loadDoor(name: DoorName): Promise<OpenDoor> {
  return (await loaders[name]()).openDoor;
}
