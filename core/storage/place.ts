/** A place on disk: a folder below the data directory (`""` is that itself), and a name in it. */
export interface Place {
  readonly dir: string;
  readonly name: string;
}

/** The place as one path below the data directory. */
export function relative({ dir, name }: Place): string {
  return dir ? `${dir}/${name}` : name;
}

/** The folder that a place is in, as a place. */
export function folderOf({ dir }: Place): Place {
  const cut = dir.lastIndexOf("/");
  return { dir: dir.slice(0, Math.max(0, cut)), name: dir.slice(cut + 1) };
}
