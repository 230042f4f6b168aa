// The search runs in a web worker, which a browser does not start for a page from the disk.
// There a hidden frame stands in for the worker. (Material for MkDocs would load one from another host.)
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(url) {
      super()
      this.frame = document.createElement("iframe")
      this.frame.hidden = true
      this.frame.reply = (data) => {
        const event = new MessageEvent("message", { data: structuredClone(data) })
        this.dispatchEvent(event)
        if (this.onmessage) this.onmessage(event)
      }
      this.frame.srcdoc =
        "<script>postMessage = (data) => frameElement.reply(data)</script>" +
        `<script src="${new URL(url, location)}"></script>`
      this.ready = new Promise((resolve) => (this.frame.onload = resolve))
      document.body.appendChild(this.frame)
    }

    postMessage(data) {
      this.ready.then(() => {
        const view = this.frame.contentWindow
        view.dispatchEvent(new view.MessageEvent("message", { data: structuredClone(data) }))
      })
    }

    terminate() {
      this.frame.remove()
    }
  }
}
