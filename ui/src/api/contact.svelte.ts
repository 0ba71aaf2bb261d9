/** Whether the server can be heard. Losing contact says nothing about a run: it never reads "crashed". */

class Contact {
  /** when the server was last heard, in ms; null: not yet */
  heardAt = $state<number | null>(null);
  /** since when it is silent; null: it answers */
  lostAt = $state<number | null>(null);

  hear(): void {
    this.heardAt = Date.now();
    this.lostAt = null;
  }

  lose(): void {
    this.lostAt ??= Date.now();
  }
}

export const contact = new Contact();
