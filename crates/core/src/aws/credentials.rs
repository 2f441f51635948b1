//! The credentials of a function.

use aws_config::Region;
use aws_config::ecs::EcsCredentialsProvider;
use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_sdk_dynamodb::config::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::SharedHttpClient;

use super::variable;

/// Returns the credentials of a function's role from where Lambda puts them: environment variables
/// or, if the environment outlives its credentials (`SnapStart`, Managed Instances), a service
/// inside it that issues new ones (`AWS_CONTAINER_CREDENTIALS_FULL_URI`).
///
/// The SDK's chain would also look for profiles, web identities, single sign-on and an instance's
/// role. Lambda has none of these, and looking for them would slow down every cold start.
pub(super) fn of_function(region: Region, client: SharedHttpClient) -> SharedCredentialsProvider {
    if variable("AWS_ACCESS_KEY_ID").is_some() {
        return SharedCredentialsProvider::new(EnvironmentVariableCredentialsProvider::new());
    }
    let config =
        ProviderConfig::without_region().with_region(Some(region)).with_http_client(client);
    SharedCredentialsProvider::new(EcsCredentialsProvider::builder().configure(&config).build())
}
