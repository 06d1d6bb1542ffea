-- SPDX-License-Identifier: MIT
-- Load for shopd: wrk -t 2 -c 16 -d 10 -s tools/demo/load.lua http://127.0.0.1:8080
-- A client lists the products, puts one into a cart, and pays.
local skus = { "oak-lamp", "brass-bowl", "linen-chair", "glass-clock", "wool-lamp", "slate-bowl" }
local order
local turn = 0

function request()
	turn = turn + 1
	if order then
		local path = "/checkout?order=" .. order
		order = nil
		return wrk.format("POST", path)
	elseif turn % 5 == 0 then
		return wrk.format("GET", "/products")
	end
	local sku = skus[turn % #skus + 1]
	return wrk.format("GET", "/cart/add?sku=" .. sku .. "&quantity=" .. turn % 3 + 1)
end

function response(status, headers, body)
	order = body:match('"order":(%d+),"cents"')
end
