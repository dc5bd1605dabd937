#include "clients/cli/media_client.hpp"

#include <algorithm>
#include <exception>

#include "clients/cli/channel.hpp"
#include "clients/cli/interrupt.hpp"
#include "clients/cli/unary_call.hpp"
#include "continuo/v1/media.grpc.pb.h"

namespace continuo::cli {
namespace {

constexpr std::uint32_t kPage = 1000;

Failure interrupted() {
  return {kTryAgain, "INTERRUPTED", "", "interrupted; what came is held, so the same again goes on"};
}

}  // namespace

struct MediaClient::Impl : Way {
  std::unique_ptr<v1::MediaService::Stub> stub;
};

MediaClient::MediaClient(std::string address, std::chrono::milliseconds timeout)
    : impl_(std::make_unique<Impl>(Impl{{address, timeout}, v1::MediaService::NewStub(make_channel(address))})) {}
MediaClient::~MediaClient() = default;

void MediaClient::list(const std::string& path, bool recursive, std::size_t limit,
                       const std::function<void(const v1::MediaEntry&)>& on_entry) {
  v1::ListMediaRequest request;
  request.set_path(path);
  request.set_recursive(recursive);
  request.set_page_size(limit == 0 ? kPage : static_cast<std::uint32_t>(std::min<std::size_t>(limit, kPage)));
  std::size_t told = 0;
  do {
    const v1::ListMediaResponse page = impl_->call(*impl_->stub, &v1::MediaService::Stub::ListMedia, request);
    for (const v1::MediaEntry& entry : page.entries()) {
      if (limit != 0 && told++ == limit) return;
      on_entry(entry);
    }
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
}

v1::ProbeMediaResponse MediaClient::probe(const std::string& path) {
  v1::ProbeMediaRequest request;
  request.set_path(path);
  return impl_->call(*impl_->stub, &v1::MediaService::Stub::ProbeMedia, request);
}

void MediaClient::remove(const std::string& path) {
  v1::DeleteMediaRequest request;
  request.set_path(path);
  impl_->call(*impl_->stub, &v1::MediaService::Stub::DeleteMedia, request);
}

v1::GetUploadResponse MediaClient::get_upload(const v1::UploadMediaRequest::Begin& begin) {
  v1::GetUploadRequest request;
  request.set_path(begin.path());
  request.set_total_bytes(begin.total_bytes());
  request.set_sha256(begin.sha256());
  return impl_->call(*impl_->stub, &v1::MediaService::Stub::GetUpload, request);
}

void MediaClient::upload(const v1::UploadMediaRequest::Begin& begin, const std::function<std::string()>& read) {
  grpc::ClientContext context;
  const Interrupt::Scope scope([&context] { context.TryCancel(); });
  v1::UploadMediaResponse response;
  const auto writer = impl_->stub->UploadMedia(&context, &response);
  v1::UploadMediaRequest message;
  *message.mutable_begin() = begin;
  bool going = writer->Write(message);
  std::exception_ptr failed;
  while (going) {
    try {
      message.set_data(read());
    } catch (...) {
      failed = std::current_exception();
      context.TryCancel();
      break;
    }
    if (message.data().empty()) break;
    going = writer->Write(message);  // where it fails, Finish says why
  }
  writer->WritesDone();
  const grpc::Status status = writer->Finish();
  if (failed) std::rethrow_exception(failed);
  if (scope.happened() && !status.ok()) throw interrupted();
  impl_->check(status);
}

std::string MediaClient::download(const v1::DownloadMediaRequest& request,
                                  const std::function<void(std::string_view)>& write) {
  grpc::ClientContext context;
  const Interrupt::Scope scope([&context] { context.TryCancel(); });
  const auto reader = impl_->stub->DownloadMedia(&context, request);
  v1::DownloadMediaResponse message;
  std::string sha256;
  std::exception_ptr failed;
  while (reader->Read(&message)) {
    if (message.has_end()) sha256 = message.end().sha256();
    if (message.kind_case() != v1::DownloadMediaResponse::kData) continue;
    try {
      write(message.data());
    } catch (...) {
      failed = std::current_exception();
      context.TryCancel();
      break;
    }
  }
  const grpc::Status status = reader->Finish();
  if (failed) std::rethrow_exception(failed);
  if (scope.happened() && !status.ok())
    throw Failure(kTryAgain, "INTERRUPTED", "", "interrupted; nothing is left of it");
  impl_->check(status);
  return sha256;
}

}  // namespace continuo::cli
