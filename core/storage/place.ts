/** A place on disk: a folder below the data directory (`""` for the directory itself), and a name. */
export interface Place {
  readonly dir: string;
  readonly name: string;
}

/** Returns the path of a place below the data directory. */
export function relative({ dir, name }: Place): string {
  return dir ? `${dir}/${name}` : name;
}

/** Returns the place of the folder that a place is in. */
export function folderOf({ dir }: Place): Place {
  const cut = dir.lastIndexOf("/");
  return { dir: dir.slice(0, Math.max(0, cut)), name: dir.slice(cut + 1) };
}
