/** The doors that there are; each is loaded only where it is open. */
import type { DoorName, OpenDoor } from "../door/door.ts";

const doors: Partial<Record<DoorName, () => Promise<{ readonly openDoor: OpenDoor }>>> = {
  native: () => import("../door/native/listen.ts"),
  ftp: () => import("../door/ftp/listen.ts"),
  ftps: () => import("../door/ftp/listen.ts"),
};

/** @throws {RangeError} for a door that this version does not have */
export async function loadDoor(name: DoorName): Promise<OpenDoor> {
  const load = doors[name];
  if (!load) throw new RangeError(`there is no ${name} door`);
  return (await load()).openDoor;
}
