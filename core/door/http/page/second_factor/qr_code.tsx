/** A text as a QR code: dark on white in both themes, since scanners expect that. */
export async function QrCode({ text, label }: { text: string; label: string }) {
  const { encode } = await import("uqr");
  const { data, size } = encode(text, { ecc: "M", border: 4 });
  const runs = data.flatMap((row, y) => {
    const squares = row.map((isDark) => isDark ? "#" : " ").join("");
    return [...squares.matchAll(/#+/g)].map(({ 0: run, index }) =>
      `M${index} ${y}h${run.length}v1h-${run.length}z`
    );
  });
  return (
    <svg
      width="220"
      height="220"
      viewBox={`0 0 ${size} ${size}`}
      shape-rendering="crispEdges"
      role="img"
      aria-label={label}
    >
      <rect width={size} height={size} fill="#fff" />
      <path d={runs.join("")} fill="#000" />
    </svg>
  );
}
