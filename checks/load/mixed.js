// The load of `checks/load/run`: customers and an administrator at work concurrently. Each virtual user has one
// connection and sends its next request when the last one is answered.
import exec from 'k6/execution';
import http from 'k6/http';
import { Counter, Gauge, Trend } from 'k6/metrics';

const API = __ENV.API || 'http://127.0.0.1:3000';
const CONNECTIONS = Number(__ENV.CONNECTIONS || 64);

const CATEGORIES = 8;
// Two pages of a category.
const PRODUCTS_PER_CATEGORY = 40;
const PAGE = 20;
const PASSWORD = 'storefront-demo';
// Per virtual user, so that this script's own memory does not grow without limit.
const REMEMBERED_ORDERS = 100;
// Every order has a piece or more of one product, which is received, lost and put back at the same time.
const BESTSELLER_STOCK = 1e6;
const BESTSELLER_ITEMS = 4;
const NEXT_STATUS = { pending: 'paid', paid: 'shipped', shipped: 'delivered' };

// The operations, with weights out of 1000. A log-in or registration hashes a password, which is as much work as some
// fifteen other requests; with these weights, there is one per visit of 140 requests.
const OPERATIONS = [
    [225, 'browse_category', browse],
    [100, 'next_page', nextPage],
    [220, 'get_product', getProduct],
    [100, 'place_order', placeOrder],
    [15, 'replay_order', replayOrder],
    [10, 'out_of_stock', orderOutOfStock],
    [90, 'list_orders', listOrders],
    [110, 'show_order', showOrder],
    [20, 'cancel_order', cancelOrder],
    [10, 'refused_change', cancelDelivered],
    [58, 'change_status', changeStatus],
    [20, 'change_product', changeProduct],
    [15, 'change_stock', changeStock],
    [5, 'log_in', logIn],
    [2, 'register', register],
];

const latencies = Object.fromEntries(OPERATIONS.map(([, name]) => [name, new Trend(name, true)]));
const unexpected = new Counter('unexpected');
// Each of these becomes an event.
const statusChanges = new Counter('status_changes');
// The pieces of the bestseller: there must be what there was, plus the first, less the second.
const piecesIn = new Counter('pieces_in');
const piecesOut = new Counter('pieces_out');
const piecesLeft = new Gauge('pieces_left');

export const options = {
    scenarios: {
        mixed: { executor: 'constant-vus', vus: CONNECTIONS, duration: __ENV.DURATION || '60s', gracefulStop: '30s' },
    },
    setupTimeout: '5m',
    batch: CONNECTIONS,
    batchPerHost: CONNECTIONS,
    summaryTrendStats: ['count', 'avg', 'med', 'p(90)', 'p(95)', 'p(99)', 'max'],
    thresholds: { unexpected: ['count==0'] },
};

// The state of this virtual user.
let lastOrder = null;
let nextPages = [];
const openOrders = [];
const deliveredOrders = [];

export function setup() {
    const admin = logInOrFail('admin@example.com');
    const create = (product) => request('POST', '/products', { token: admin, body: product });
    const products = [];
    for (let category = 0; category < CATEGORIES; category += 1) {
        for (let number = 0; number < PRODUCTS_PER_CATEGORY; number += 1) {
            const name = `Article ${category}.${number}`;
            const product = { name, category: `load-${category}`, price: 990 + number, currency: 'EUR', stock: 1e9 };
            products.push(expectSetup(create(product), 201).id);
        }
    }
    const bestseller = { name: 'Bestseller', category: 'load-best', price: 990, currency: 'EUR', stock: BESTSELLER_STOCK };
    const bestsellerId = expectSetup(create(bestseller), 201).id;
    const spread = { token: admin, body: { items: BESTSELLER_ITEMS } };
    expectSetup(request('PUT', `/products/${bestsellerId}/stock-spread`, spread), 200);
    const soldOut = { name: 'Sold out', category: 'load-sold-out', price: 990, currency: 'EUR', stock: 0 };
    const soldOutId = expectSetup(create(soldOut), 201).id;

    const customers = [];
    for (let number = 0; number < CONNECTIONS; number += 1) {
        const email = `customer-${number}@load.example.com`;
        expectSetup(request('POST', '/users', { body: { email, password: PASSWORD, name: 'Customer' } }), 201);
        customers.push({ email });
    }
    // All at once: the memory in which passwords are hashed is kept, once per processor, and must not count as growth
    // later.
    const logIns = customers.map(({ email }) => requestOf('POST', '/sessions', { body: credentials(email) }));
    http.batch(logIns).forEach((answer, number) => {
        customers[number].token = expectSetup(answer, 201).accessToken;
    });
    piecesIn.add(BESTSELLER_STOCK);
    return { admin, products, bestsellerId, soldOutId, customers };
}

export default function (data) {
    const customer = data.customers[exec.vu.idInTest - 1];
    let left = Math.random() * 1000;
    for (const [weight, , operation] of OPERATIONS) {
        left -= weight;
        if (left < 0) {
            operation(data, customer);
            return;
        }
    }
}

export function teardown(data) {
    piecesLeft.add(expectSetup(request('GET', `/products/${data.bestsellerId}`), 200).stock);
}

export function handleSummary(data) {
    return { [__ENV.SUMMARY || 'summary.json']: JSON.stringify(data.metrics) };
}

function browse() {
    const category = `load-${below(CATEGORIES)}`;
    const answer = send('browse_category', 200, 'GET', `/products?category=${category}&limit=${PAGE}`);
    const cursor = answer && answer.json('nextCursor');
    if (cursor) {
        nextPages = [...nextPages.slice(-4), { category, cursor }];
    }
}

function nextPage() {
    const page = nextPages.pop();
    if (!page) {
        browse();
        return;
    }
    const cursor = encodeURIComponent(page.cursor);
    send('next_page', 200, 'GET', `/products?category=${page.category}&limit=${PAGE}&cursor=${cursor}`);
}

function getProduct(data) {
    send('get_product', 200, 'GET', `/products/${anyOf(data.products)}`);
}

function placeOrder(data, customer) {
    const pieces = 1 + below(3);
    const items = [{ productId: data.bestsellerId, quantity: pieces }];
    for (let line = 0; line < below(4); line += 1) {
        items.push({ productId: anyOf(data.products), quantity: 1 + below(3) });
    }
    const order = { body: { items }, key: `${exec.vu.idInTest}-${exec.vu.iterationInScenario}` };
    const answer = send('place_order', 201, 'POST', '/orders', { token: customer.token, ...order });
    if (answer) {
        const id = answer.json('id');
        piecesOut.add(pieces);
        lastOrder = { id, ...order };
        remember(openOrders, { id, pieces, status: answer.json('status') });
    }
}

// Like a client that did not receive the response.
function replayOrder(data, customer) {
    if (!lastOrder) {
        placeOrder(data, customer);
        return;
    }
    const { id, ...order } = lastOrder;
    const answer = send('replay_order', 200, 'POST', '/orders', { token: customer.token, ...order });
    if (answer && answer.json('id') !== id) {
        complain('replay_order', 'not the first order');
    }
}

function orderOutOfStock(data, customer) {
    const body = { items: [{ productId: data.soldOutId, quantity: 1 }] };
    send('out_of_stock', 409, 'POST', '/orders', { token: customer.token, body, code: 'out_of_stock' });
}

function listOrders(data, customer) {
    send('list_orders', 200, 'GET', `/orders?limit=${PAGE}`, { token: customer.token });
}

function showOrder(data, customer) {
    const order = anyOf(openOrders);
    if (!order) {
        placeOrder(data, customer);
        return;
    }
    send('show_order', 200, 'GET', `/orders/${order.id}`, { token: customer.token });
}

function cancelOrder(data, customer) {
    const order = openOrders.find(({ status }) => status === 'pending' || status === 'paid');
    if (!order) {
        placeOrder(data, customer);
        return;
    }
    if (change('cancel_order', order, 'cancelled', customer.token)) {
        piecesIn.add(order.pieces);
    }
}

// Too late, which is a conflict.
function cancelDelivered(data, customer) {
    const order = anyOf(deliveredOrders);
    if (!order) {
        placeOrder(data, customer);
        return;
    }
    const body = { status: 'cancelled' };
    const refused = { token: customer.token, body, code: 'invalid_status_change' };
    send('refused_change', 409, 'PATCH', `/orders/${order.id}`, refused);
}

function changeStatus(data, customer) {
    const order = anyOf(openOrders);
    if (!order) {
        placeOrder(data, customer);
        return;
    }
    change('change_status', order, NEXT_STATUS[order.status], data.admin);
}

function changeProduct(data) {
    const body = Math.random() < 0.5 ? { price: 990 + below(1000) } : { stock: 1e9 + below(1000) };
    send('change_product', 200, 'PATCH', `/products/${anyOf(data.products)}`, { token: data.admin, body });
}

// Goods received, or lost; every other time sent twice, like by a client that did not receive the response.
function changeStock(data) {
    const pieces = 1 + below(20);
    const lost = Math.random() < 0.2;
    const key = `stock-${exec.vu.idInTest}-${exec.vu.iterationInScenario}`;
    const path = `/products/${data.bestsellerId}/stock-changes`;
    const sent = { token: data.admin, key, body: { change: lost ? -pieces : pieces } };
    if (send('change_stock', 200, 'POST', path, sent)) {
        (lost ? piecesOut : piecesIn).add(pieces);
    }
    if (Math.random() < 0.5) {
        const again = send('change_stock', 200, 'POST', path, sent);
        if (again && !again.headers['Idempotency-Replayed']) {
            complain('change_stock', 'counted twice');
        }
    }
}

function logIn(data, customer) {
    const answer = send('log_in', 201, 'POST', '/sessions', { body: credentials(customer.email) });
    if (answer) {
        customer.token = answer.json('accessToken');
    }
}

function register() {
    const email = `visitor-${exec.vu.idInTest}-${exec.vu.iterationInScenario}@load.example.com`;
    send('register', 201, 'POST', '/users', { body: { ...credentials(email), name: 'Visitor' } });
}

function change(operation, order, status, token) {
    const answer = send(operation, 200, 'PATCH', `/orders/${order.id}`, { token, body: { status } });
    if (!answer) {
        return false;
    }
    statusChanges.add(1);
    order.status = status;
    if (!NEXT_STATUS[status]) {
        openOrders.splice(openOrders.indexOf(order), 1);
    }
    if (status === 'delivered') {
        remember(deliveredOrders, order);
    }
    return true;
}

// Sends a request and times it. Returns the response, or null if it is not the expected one.
function send(operation, status, method, path, { code, ...rest } = {}) {
    const answer = request(method, path, rest);
    latencies[operation].add(answer.timings.duration);
    if (answer.status === status && (!code || answer.json('code') === code)) {
        return answer;
    }
    complain(operation, answer.status ? `${answer.status} ${codeOf(answer)}` : answer.error);
    return null;
}

function complain(operation, what) {
    unexpected.add(1);
    console.error(`${operation}: ${what}`);
}

function request(method, path, what) {
    return http.request(...requestOf(method, path, what));
}

// The arguments with which k6 makes the request.
function requestOf(method, path, { token, key, body } = {}) {
    const headers = {};
    if (token) {
        headers.Authorization = `Bearer ${token}`;
    }
    if (key) {
        headers['Idempotency-Key'] = key;
    }
    if (body) {
        headers['Content-Type'] = 'application/json';
    }
    return [method, API + path, body && JSON.stringify(body), { headers }];
}

function codeOf(answer) {
    try {
        return answer.json('code') || '';
    } catch {
        return 'no JSON';
    }
}

function logInOrFail(email) {
    return expectSetup(request('POST', '/sessions', { body: credentials(email) }), 201).accessToken;
}

function expectSetup(answer, status) {
    if (answer.status !== status) {
        exec.test.abort(`the preparation failed: ${answer.status} ${answer.body || answer.error}`);
    }
    return answer.json();
}

function credentials(email) {
    return { email, password: PASSWORD };
}

function remember(list, entry) {
    list.push(entry);
    if (list.length > REMEMBERED_ORDERS) {
        list.shift();
    }
}

function below(limit) {
    return Math.floor(Math.random() * limit);
}

function anyOf(list) {
    return list[below(list.length)];
}
