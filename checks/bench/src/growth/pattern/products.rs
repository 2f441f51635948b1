//! The access patterns of products.

use storefront_core::{NewProduct, PageRequest, Product, ProductChanges, ProductId};

use super::{Pattern, Sample, measure};
use crate::Error;
use crate::growth::data::{Data, PAGE};
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
        Pattern::ChangeProduct => {
            let changes =
                ProductChanges { price: Some(random.u64(500..9_999)), ..Default::default() };
            measure(products.update(shop.data.product_id(number), changes, None)).await?.1
        }
        // Adding and deleting run together, so that the table keeps its size.
        _ => {
            let Product { name, description, category, price, currency, stock, .. } =
                shop.data.product(number);
            let new = NewProduct { name, description, category, price, currency, stock };
            let (product, added) = measure(products.create(ProductId::new(), new)).await?;
            let ((), deleted) = measure(products.delete(product.id, None)).await?;
            if pattern == Pattern::AddProduct { added } else { deleted }
        }
    };
    Ok(sample)
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
