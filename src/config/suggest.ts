/** The known word that `typed` most likely meant: at most a third of its letters differ. Null: nothing is near. */
export function suggest(typed: string, known: readonly string[]): string | null {
  const plain = typed.toLowerCase().replaceAll('-', '_');
  let best: string | null = null;
  let bestDistance = Math.floor(plain.length / 3) + 1;
  for (const word of known) {
    const distance = editDistance(plain, word);
    // Of equally near words, one that only goes on is the likelier: "prot" is "proto" rather than "port".
    const nearer = distance < bestDistance || (distance === bestDistance && best !== null && word.startsWith(plain));
    if (nearer) {
      best = word;
      bestDistance = distance;
    }
  }
  return best;
}

/** Letters to insert, delete, replace or swap with their neighbour to make `a` into `b`. */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      row[j] = Math.min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (same ? 0 : 1));
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) row[j] = Math.min(row[j], beforeLast[j - 2] + 1);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length];
}
