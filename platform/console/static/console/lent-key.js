// A key that the console lends a page for minutes, for calls to the public API.

const EARLY_MS = 30_000; // a key that expires sooner is replaced

export class LentKey {
  constructor(address, csrf) {
    this.address = address;
    this.csrf = csrf;
    this.lent = null;
  }

  async value() {
    if (this.lent && Date.parse(this.lent.expires_at) - Date.now() > EARLY_MS) return this.lent.key;
    const answer = await fetch(this.address, { method: "POST", headers: { "x-csrftoken": this.csrf } });
    if (!answer.ok || answer.redirected) throw new Error("You are signed out, or can no longer use the playground. Reload the page.");
    this.lent = await answer.json();
    return this.lent.key;
  }
}
