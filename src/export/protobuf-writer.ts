/**
 * Writes one protobuf message, nested ones in place. Each `begin` leaves room for a length that `end` fills
 * in.
 */
export class ProtobufWriter {
  #bytes: Buffer = Buffer.allocUnsafeSlow(4096);
  #at = 10; // room for the delimiter

  string(field: number, text: string): void {
    const length = Buffer.byteLength(text);
    this.#room(length + 20);
    this.#varint(field * 8 + 2);
    this.#varint(length);
    this.#at += this.#bytes.write(text, this.#at);
  }

  double(field: number, value: number): void {
    this.#room(20);
    this.#varint(field * 8 + 1);
    this.#at = this.#bytes.writeDoubleLE(value, this.#at);
  }

  /** A whole number from 0 to 2**53. */
  integer(field: number, value: number): void {
    this.#room(20);
    this.#varint(field * 8);
    this.#varint(value);
  }

  /** A whole number from -2**53 to 2**53, of a field of type `sint32` or `sint64`. */
  signed(field: number, value: number): void {
    this.integer(field, value < 0 ? -2 * value - 1 : 2 * value);
  }

  /** Opens a nested message. Pass the result to `end`. */
  begin(field: number): number {
    this.#room(20);
    this.#varint(field * 8 + 2);
    this.#at += 4;
    return this.#at;
  }

  /** The length is always a varint of four bytes, which the format allows. */
  end(start: number): void {
    let length = this.#at - start;
    for (let i = 4; i > 1; i--) {
      this.#bytes[start - i] = (length & 0x7f) | 0x80;
      length >>>= 7;
    }
    this.#bytes[start - 1] = length;
  }

  /** The message with its length before it. */
  delimited(): Buffer {
    const length = this.#at - 10;
    const end = this.#at;
    this.#at = 0;
    this.#varint(length);
    const start = 10 - this.#at;
    this.#bytes.copyWithin(start, 0, this.#at);
    return this.#bytes.subarray(start, end);
  }

  #varint(value: number): void {
    let rest = value;
    while (rest >= 0x80) {
      this.#bytes[this.#at++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#bytes[this.#at++] = rest;
  }

  #room(bytes: number): void {
    if (this.#at + bytes <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(2 * (this.#at + bytes));
    this.#bytes.copy(larger, 0, 0, this.#at);
    this.#bytes = larger;
  }
}
