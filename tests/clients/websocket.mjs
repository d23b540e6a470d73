// MCP over WebSocket as a transport of the official client, which has none of its own since 2.0.
import WebSocket from 'ws';

export class WebSocketTransport {
    #url;
    #headers;
    #socket;

    constructor(url, headers = {}) {
        this.#url = url;
        this.#headers = headers;
    }

    start() {
        return new Promise((resolve, reject) => {
            // One message to a turn, as in browsers: the client forgets who wanted progress with the
            // result, so that the last note before it would be lost where both come in one turn.
            const options = { headers: this.#headers, allowSynchronousEvents: false };
            this.#socket = new WebSocket(this.#url, 'mcp', options);
            this.#socket.on('open', resolve);
            this.#socket.on('error', error => {
                reject(error);
                this.onerror?.(error);
            });
            this.#socket.on('close', () => this.onclose?.());
            this.#socket.on('message', text => {
                try {
                    this.onmessage?.(JSON.parse(text));
                } catch (error) {
                    this.onerror?.(error);
                }
            });
        });
    }

    send(message) {
        return new Promise((resolve, reject) =>
            this.#socket.send(JSON.stringify(message), error => (error ? reject(error) : resolve()))
        );
    }

    async close() {
        this.#socket?.close();
    }
}
