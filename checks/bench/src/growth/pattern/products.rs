//! The access patterns of products.

use storefront_core::{
    NewProduct, PageRequest, Product, ProductChanges, ProductId, ProductWithStock,
};

use super::{Pattern, Sample, measure, new_key};
use crate::Error;
use crate::growth::data::{Data, PAGE, PLENTY};
use crate::growth::shop::Shop;

pub(super) async fn run(
    pattern: Pattern,
    shop: &Shop,
    random: &mut fastrand::Rng,
) -> Result<Sample, Error> {
    let number = random.u32(..shop.data.products);
    let products = &shop.products;
    let sample = match pattern {
        Pattern::ProductById => {
            let (found, sample) = measure(products.find(shop.data.product_id(number))).await?;
            pattern.expect(found.is_some())?;
            sample
        }
        Pattern::ProductOfNobody => {
            let (found, sample) = measure(products.find(ProductId::new())).await?;
            pattern.expect(found.is_none())?;
            sample
        }
        Pattern::FirstProducts => page(pattern, shop, number, None).await?,
        Pattern::MiddleProducts => {
            let half = shop.data.products_of_category(number) / 2;
            // In a category with two pages, the second page would be the last.
            page(pattern, shop, number, Some(half - PAGE / 2)).await?
        }
        Pattern::LastProducts => {
            let count = shop.data.products_of_category(number);
            page(pattern, shop, number, Some(count - PAGE - 1)).await?
        }
        Pattern::AddProduct | Pattern::AddProductWithKey | Pattern::DeleteProduct => {
            Box::pin(add(pattern, shop, number, random)).await?
        }
        Pattern::ChangeStock | Pattern::ChangeStockWithKey => {
            Box::pin(change_stock(pattern, shop, number, random)).await?
        }
        Pattern::SpreadProduct | Pattern::SpreadStock => {
            Box::pin(spread(pattern, shop, number)).await?
        }
        Pattern::RefreshAvailability => {
            measure(products.refresh_availability(shop.data.product_id(number))).await?.1
        }
        _ => Box::pin(update(pattern, shop, number, random)).await?,
    };
    Ok(sample)
}

/// Adds a product and deletes it, so that the table keeps its size.
async fn add(
    pattern: Pattern,
    shop: &Shop,
    number: u32,
    random: &mut fastrand::Rng,
) -> Result<Sample, Error> {
    let ProductWithStock { product, stock } = shop.data.product(number);
    let Product { name, description, category, price, currency, selling, .. } = product;
    let new = NewProduct { name, description, category, price, currency, stock, selling };
    let (id, user) = (ProductId::new(), shop.data.user_id(0));
    let added = if pattern == Pattern::AddProductWithKey {
        let key = new_key(random)?;
        let adding = shop.products.create_once(id, new, user, key.clone());
        let (once, added) = measure(adding).await?;
        pattern.expect(!once.replayed)?;
        shop.forget(user, &key).await?;
        added
    } else {
        measure(shop.products.create(id, new)).await?.1
    };
    let ((), deleted) = measure(shop.products.delete(id, None)).await?;
    Ok(if pattern == Pattern::DeleteProduct { deleted } else { added })
}

async fn change_stock(
    pattern: Pattern,
    shop: &Shop,
    number: u32,
    random: &mut fastrand::Rng,
) -> Result<Sample, Error> {
    let (id, user) = (shop.data.product_id(number), shop.data.user_id(0));
    let key = match pattern {
        Pattern::ChangeStockWithKey => Some(new_key(random)?),
        _ => None,
    };
    let sender = key.clone().map(|key| (user, key));
    let (changed, sample) = measure(shop.products.change_stock(id, 1, sender)).await?;
    pattern.expect(!changed.replayed)?;
    if let Some(key) = key {
        shop.forget(user, &key).await?;
    }
    Ok(sample)
}

/// Spreads a product's stock, reads it, and gathers it again.
async fn spread(pattern: Pattern, shop: &Shop, number: u32) -> Result<Sample, Error> {
    let id = shop.data.product_id(number);
    let ((), spread) = measure(shop.products.spread_stock(id, 4)).await?;
    let (found, read) = measure(shop.products.find(id)).await?;
    pattern.expect(found.is_some_and(|found| found.stock.is_some()))?;
    Box::pin(shop.products.spread_stock(id, 1)).await?;
    Ok(if pattern == Pattern::SpreadStock { spread } else { read })
}

async fn update(
    pattern: Pattern,
    shop: &Shop,
    number: u32,
    random: &mut fastrand::Rng,
) -> Result<Sample, Error> {
    let changes = match pattern {
        Pattern::DescribeProduct => {
            let description = format!("Described {:08}", random.u32(..100_000_000));
            let description = description.parse().map_err(Error::shop)?;
            ProductChanges { description: Some(Some(description)), ..ProductChanges::default() }
        }
        Pattern::PriceProduct => {
            ProductChanges { price: Some(random.u64(500..9_999)), ..ProductChanges::default() }
        }
        _ => ProductChanges { stock: Some(Some(PLENTY)), ..ProductChanges::default() },
    };
    let changing = shop.products.update(shop.data.product_id(number), changes, None);
    Ok(measure(changing).await?.1)
}

/// Reads the page after the n-th product of a category.
async fn page(
    pattern: Pattern,
    shop: &Shop,
    category: u32,
    after: Option<u32>,
) -> Result<Sample, Error> {
    let after = after.map(|n| shop.data.product_id(Data::product_of_category(category, n)));
    let request = PageRequest { limit: PAGE, after };
    let (page, sample) = measure(shop.products.list(&Data::category(category), request)).await?;
    pattern.expect(page.items.len() == PAGE as usize)?;
    pattern.expect(page.next.is_none() == (pattern == Pattern::LastProducts))?;
    Ok(sample)
}
