// An OpenID provider on loopback, and beside it a port to steer it by. Prints both addresses.
import { createServer } from 'node:http';
import { OAuth2Server } from 'oauth2-mock-server';

const server = new OAuth2Server();
await server.issuer.keys.generate('RS256', { kid: 'first' });

async function listen(port) {
    await server.start(port, '127.0.0.1');
    server.issuer.url = `http://127.0.0.1:${server.address().port}`;
}
await listen(0);
const port = server.address().port;

// Whoever asks for a token by the password grant says what is in it.
server.service.on('beforeTokenSigning', (token, request) => {
    Object.assign(token.payload, JSON.parse(request.body.claims ?? '{}'));
});

// Whoever signs in with a browser is who `/said` says, and comes back with what `/answer` adds.
let said = {};
let answer = {};
server.service.on('beforeTokenSigning', (token, request) => {
    if (request.body.grant_type === 'authorization_code') Object.assign(token.payload, said);
});
server.service.on('beforeAuthorizeRedirect', ({ url }) => {
    for (const [name, value] of Object.entries(answer)) {
        if (value === null) url.searchParams.delete(name);
        else url.searchParams.set(name, value);
    }
});

const deeds = {
    '/said': claims => void (said = claims),
    '/answer': members => void (answer = members),
    '/token': ({ kid, header = {}, claims = {} }) =>
        server.issuer.buildToken({
            kid,
            scopesOrTransform: (head, payload) => {
                Object.assign(head, header);
                Object.assign(payload, claims);
            }
        }),
    '/key': ({ kid, algorithm }) => server.issuer.keys.generate(algorithm, { kid }),
    '/down': () => server.stop(),
    '/up': () => listen(port)
};

const control = createServer(async (request, response) => {
    let body = '';
    for await (const part of request) body += part;
    try {
        const result = await deeds[request.url](JSON.parse(body || '{}'));
        response.end(typeof result === 'string' ? result : 'done');
    } catch (error) {
        response.statusCode = 500;
        response.end(String(error));
    }
});
control.listen(0, '127.0.0.1', () => {
    console.log(`provider ${server.issuer.url} steered at http://127.0.0.1:${control.address().port}`);
});
