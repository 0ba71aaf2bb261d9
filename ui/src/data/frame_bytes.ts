/** Frames made by hand, for tests: the same bytes as the server writes (docs/formats/api.md, "Frames"). */

type As = 'f8' | 'f4' | 'i4' | 'u2';
const MADE = { f8: Float64Array, f4: Float32Array, i4: Int32Array, u2: Uint16Array };

export class BodyBytes {
  private parts: Uint8Array[] = [];
  size = 0;

  put(as: As, values: ArrayLike<number>, scale?: [number, number]): { at: number; n: number; as: As; scale?: [number, number] } {
    const plain = new Uint8Array(MADE[as].from(values).buffer);
    const raw = as === 'u2' ? Uint8Array.from([...plain.filter((_, i) => i % 2 === 0), ...plain.filter((_, i) => i % 2 === 1)]) : plain;
    const at = this.size;
    const padded = new Uint8Array(Math.ceil(raw.length / 8) * 8);
    padded.set(raw);
    this.parts.push(padded);
    this.size += padded.length;
    return { at, n: values.length, as, ...(scale && { scale }) };
  }

  into(bytes: Uint8Array, from: number): void {
    let at = from;
    for (const part of this.parts) {
      bytes.set(part, at);
      at += part.length;
    }
  }
}

export function frameBytes(header: (body: BodyBytes) => object): ArrayBuffer {
  const body = new BodyBytes();
  let text = new TextEncoder().encode(JSON.stringify(header(body)));
  const padded = new Uint8Array(Math.ceil(text.length / 8) * 8).fill(32);
  padded.set(text);
  text = padded;
  const bytes = new Uint8Array(8 + text.length + body.size);
  bytes.set(new TextEncoder().encode('RFF1'));
  new DataView(bytes.buffer).setUint32(4, text.length, true);
  bytes.set(text, 8);
  body.into(bytes, 8 + text.length);
  return bytes.buffer;
}
