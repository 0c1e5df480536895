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
use crate::error::INVALID_REQUEST;
use crate::{Limits, RpcError};

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
    /// There is no place for it.
    Busy(RpcError),
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
    let booking = match account.begin(0) {
        Ok(booking) => booking,
        Err(error) => return Ok(closing(busy(error))),
    };
    let body = match read(body, &parts.headers, limits, &booking).await {
        Ok(body) => body,
        Err(BodyError::TooLarge) => return Ok(closing(response::too_large(limits.request_bytes))),
        Err(BodyError::TooSlow) => return Ok(closing(too_slow())),
        Err(BodyError::Broken) => return Ok(closing(response::malformed())),
        Err(BodyError::Busy(error)) => return Ok(closing(busy(error))),
    };
    parts.extensions.insert(OverHttp);
    let request = HttpRequest::from_parts(parts, HttpBody::new(Full::new(body)));
    let response = keep_booked(call(service, request).await).await;
    // The body is booked until here.
    drop(booking);
    Ok(response)
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

async fn read(
    body: Incoming,
    headers: &HeaderMap,
    limits: &Limits,
    booking: &Booking,
) -> Result<Bytes, BodyError> {
    let most = usize::try_from(limits.request_bytes).unwrap_or(usize::MAX);
    // A length that is too large is refused before anything is read.
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    if announced.and_then(|length| length.parse::<usize>().ok()).is_some_and(|length| length > most)
    {
        return Err(BodyError::TooLarge);
    }
    let read = collect(Limited::new(body, most), booking);
    tokio::time::timeout(limits.body_timeout, read).await.unwrap_or(Err(BodyError::TooSlow))
}

/// Puts a body together, booking its parts.
async fn collect(mut body: Limited<Incoming>, booking: &Booking) -> Result<Bytes, BodyError> {
    let mut collected = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| match error.is::<LengthLimitError>() {
            true => BodyError::TooLarge,
            false => BodyError::Broken,
        })?;
        let Ok(data) = frame.into_data() else { continue };
        booking.add(data.len()).map_err(BodyError::Busy)?;
        collected.extend_from_slice(&data);
    }
    Ok(collected.into())
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
    error(StatusCode::REQUEST_TIMEOUT, INVALID_REQUEST, "request body timed out")
}

fn busy(why: RpcError) -> HttpResponse {
    error(StatusCode::SERVICE_UNAVAILABLE, why.code(), &why.to_string())
}

/// An error of a request that was not read.
fn error(status: StatusCode, code: i32, message: &str) -> HttpResponse {
    let body = serde_json::json!({
        "jsonrpc": "2.0",
        "id": null,
        "error": {"code": code, "message": message}
    });
    let mut response = HttpResponse::new(HttpBody::from(body.to_string()));
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

/// What is left of the body would be taken for the next request.
fn closing(mut response: HttpResponse) -> HttpResponse {
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}
