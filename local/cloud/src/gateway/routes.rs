//! Finds the function that handles a request.

use std::collections::{BTreeMap, HashMap};

use axum::http::Method;
use storefront_template::Route;

use super::event::decoded;
use crate::Error;
use crate::function::Function;

pub(crate) struct Target {
    pub(crate) route_key: String,
    pub(crate) function: Function,
    pub(crate) authorized: bool,
}

/// The template's routes. Nothing else exists here.
#[derive(Default)]
pub(crate) struct Routes(matchit::Router<HashMap<String, Target>>);

impl Routes {
    pub(crate) fn new(
        routes: Vec<Route>,
        functions: &HashMap<String, Function>,
    ) -> Result<Self, Error> {
        let mut by_path = BTreeMap::<String, HashMap<String, Target>>::new();
        for route in routes {
            let function = functions
                .get(&route.function)
                .ok_or_else(|| Error::NoSuchFunction { logical_id: route.function.clone() })?;
            let target = Target {
                route_key: format!("{} {}", route.method, route.path),
                function: function.clone(),
                authorized: route.authorized,
            };
            by_path.entry(route.path).or_default().insert(route.method, target);
        }
        let mut patterns = matchit::Router::new();
        for (path, targets) in by_path {
            // API Gateway's greedy `{proxy+}` is `{*proxy}` here.
            let pattern = match path.strip_suffix("+}").and_then(|rest| rest.rsplit_once('{')) {
                Some((prefix, name)) => format!("{prefix}{{*{name}}}"),
                None => path.clone(),
            };
            patterns
                .insert(pattern, targets)
                .map_err(|error| Error::Route { path, message: error.to_string() })?;
        }
        Ok(Self(patterns))
    }

    pub(crate) fn find(
        &self,
        method: &Method,
        path: &str,
    ) -> Option<(&Target, BTreeMap<String, String>)> {
        let found = self.0.at(path).ok()?;
        let target = found.value.get(method.as_str()).or_else(|| found.value.get("ANY"))?;
        let parameters = found.params.iter();
        Some((target, parameters.map(|(name, value)| (name.to_owned(), decoded(value))).collect()))
    }
}
