//! One HTTP request: what is checked before it reaches the methods.

use std::convert::Infallible;
use std::sync::Arc;

use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use jsonrpsee::core::BoxError;
use jsonrpsee::server::http::response;
use jsonrpsee::server::{HttpBody, HttpRequest, HttpResponse};
use tower::ServiceExt;
use tower::util::BoxCloneSyncService;

use super::accept::Port;
use super::account::{Account, Booking, booked};
use crate::Limits;
use crate::error::INVALID_REQUEST;

/// The service of one connection.
pub(super) type Service = BoxCloneSyncService<HttpRequest, HttpResponse, BoxError>;
/// Makes the service of a new connection.
pub(super) type NewService = Arc<dyn Fn(&Arc<Account>) -> Service + Send + Sync>;

/// Marks calls that came in a plain HTTP request, which can carry no subscription.
#[derive(Debug, Clone, Copy)]
pub(super) struct OverHttp;

/// Why a body could not be read.
enum BodyError {
    TooLarge,
    TooSlow,
    Broken,
}

/// Answers a request.
pub(super) async fn respond(
    request: Request<Incoming>,
    service: Service,
    port: &Port,
    account: &Arc<Account>,
) -> Result<HttpResponse, Infallible> {
    let limits = &port.limits;
    if !port.hosts.allows(request.headers()) {
        return Ok(text(StatusCode::FORBIDDEN, "invalid host specified\n"));
    }
    if is_upgrade(request.headers()) {
        if !port.origins.allows(request.headers()) {
            return Ok(text(StatusCode::FORBIDDEN, "origin not allowed\n"));
        }
        let mut request = request.map(HttpBody::new);
        request.extensions_mut().insert(account.clone());
        let response = call(service, request).await;
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            account.upgrade();
        }
        return Ok(response);
    }
    if *request.method() == Method::GET {
        // Load balancers look whether somebody is there.
        return Ok(text(StatusCode::OK, ""));
    }
    let (mut parts, body) = request.into_parts();
    let body = match read(body, &parts.headers, limits).await {
        Ok(body) => body,
        Err(BodyError::TooLarge) => return Ok(closing(response::too_large(limits.request_bytes))),
        Err(BodyError::TooSlow) => return Ok(closing(too_slow())),
        Err(BodyError::Broken) => return Ok(closing(response::malformed())),
    };
    parts.extensions.insert(OverHttp);
    let request = HttpRequest::from_parts(parts, HttpBody::new(Full::new(body)));
    Ok(keep_booked(call(service, request).await).await)
}

/// Hands the booking of an answer to its bytes.
async fn keep_booked(mut response: HttpResponse) -> HttpResponse {
    let Some(booking) = response.extensions_mut().remove::<Arc<Booking>>() else {
        return response;
    };
    let (parts, body) = response.into_parts();
    match body.collect().await {
        Ok(body) => {
            let bytes = booked(body.to_bytes(), booking);
            HttpResponse::from_parts(parts, HttpBody::new(Full::new(bytes)))
        }
        Err(_) => response::internal_error(),
    }
}

async fn call(service: Service, request: HttpRequest) -> HttpResponse {
    service.oneshot(request).await.unwrap_or_else(|error| {
        tracing::error!(target: "sequencer::rpc", %error, "a request could not be answered");
        response::internal_error()
    })
}

async fn read(body: Incoming, headers: &HeaderMap, limits: &Limits) -> Result<Bytes, BodyError> {
    let most = usize::try_from(limits.request_bytes).unwrap_or(usize::MAX);
    // A length that is too large is refused before anything is read.
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    if announced.and_then(|length| length.parse::<usize>().ok()).is_some_and(|length| length > most)
    {
        return Err(BodyError::TooLarge);
    }
    let read = Limited::new(body, most).collect();
    match tokio::time::timeout(limits.body_timeout, read).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(BodyError::TooLarge),
        Ok(Err(_)) => Err(BodyError::Broken),
        Err(_) => Err(BodyError::TooSlow),
    }
}

fn is_upgrade(headers: &HeaderMap) -> bool {
    let contains = |name, wanted: &str| {
        headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok()).is_some_and(|value| {
            value.split(',').any(|part| part.trim().eq_ignore_ascii_case(wanted))
        })
    };
    contains(header::CONNECTION, "upgrade") && contains(header::UPGRADE, "websocket")
}

fn text(status: StatusCode, body: &'static str) -> HttpResponse {
    let mut response = HttpResponse::new(HttpBody::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    response
}

fn too_slow() -> HttpResponse {
    let body = serde_json::json!({
        "jsonrpc": "2.0",
        "id": null,
        "error": {"code": INVALID_REQUEST, "message": "request body timed out"}
    });
    let mut response = HttpResponse::new(HttpBody::from(body.to_string()));
    *response.status_mut() = StatusCode::REQUEST_TIMEOUT;
    let json = HeaderValue::from_static("application/json; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

/// What is left of the body would be taken for the next request.
fn closing(mut response: HttpResponse) -> HttpResponse {
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}
