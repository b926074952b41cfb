import { textFormsOf } from '../domain/text-forms.ts';
import type { RecordContext } from '../http/operation.ts';
import type { WorkspaceSecrets } from '../http/secrets.ts';

/**
 * The first 64 bits of the keyed hash of a normalised identity value without its namespace, as a signed decimal number.
 * An erasure finds rejections by it, whatever their shape.
 */
export async function textHashOf(text: string, secrets: WorkspaceSecrets): Promise<string> {
  const hash = await secrets.hash('text', text);
  return BigInt.asIntN(64, BigInt(`0x${hash.slice(0, 16)}`)).toString();
}

/** Several times what an item of 1,000 strings needs. */
const MAX_WORK_OF_ITEM = 10_000;

/** What a body of 5 MiB of short strings needs; it takes some seconds. */
const MAX_WORK_OF_REQUEST = 250_000;

/**
 * Hashes the texts of rejected items of one request, of some items at a time.
 * @returns for each item the hashes of its texts; null if there are too many of them in the item or the request
 */
export function textHashing({ secrets, workspace }: Pick<RecordContext, 'secrets' | 'workspace'>) {
  let left = MAX_WORK_OF_REQUEST;
  return (items: readonly unknown[]): Promise<(string[] | null)[]> => {
    // Items of a batch resemble each other.
    const hashes = new Map<string, Promise<string>>();
    const hashOf = (text: string) => {
      const known = hashes.get(text);
      if (known) return known;
      const hash = textHashOf(text, secrets);
      hashes.set(text, hash);
      return hash;
    };
    return Promise.all(
      items.map(async (item) => {
        const forms = left > 0 ? textFormsOf(item, workspace.default_country, MAX_WORK_OF_ITEM) : null;
        if (!forms) return null;
        const before = hashes.size;
        const hashed = Promise.all([...forms.texts].map(hashOf));
        left -= forms.work - forms.texts.size + hashes.size - before;
        return hashed;
      }),
    );
  };
}
