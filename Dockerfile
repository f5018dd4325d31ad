# One image for every role: `node` (the default), `legacy-sample`, and all client commands.
# Built in two steps, so that neither the bundler nor the embedded PostgreSQL is in what runs.
ARG NODE_IMAGE=node:24.21.0-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --include=optional --ignore-scripts
COPY scripts ./scripts
COPY proto ./proto
COPY sql ./sql
COPY tsconfig.json ./
COPY page ./page
COPY src ./src
RUN node scripts/build.js
# What runs needs no optional package: those are the embedded PostgreSQL and the bundler's compilers.
RUN npm ci --omit=dev --omit=optional --ignore-scripts && npm cache clean --force

FROM ${NODE_IMAGE}
LABEL org.opencontainers.image.title="Causeway" \
      org.opencontainers.image.description="A leaderless, replicated key-value cluster that carries a team off a legacy system" \
      org.opencontainers.image.licenses="MIT"
# MALLOC_ARENA_MAX: 60 MB less with a million keys (docs/CONFIGURATION.md, "Memory of a node").
ENV NODE_ENV=production \
    MALLOC_ARENA_MAX=2 \
    CAUSEWAY_NODE_DATA_DIR=/var/lib/causeway
WORKDIR /app
COPY package.json LICENSE THIRD-PARTY-NOTICES.md ./
COPY scripts/causeway.js ./scripts/causeway.js
COPY sql ./sql
COPY --from=build /build/node_modules ./node_modules
COPY --from=build /build/dist ./dist
# Owned by who runs it, so that a new volume is, too.
RUN mkdir -p /var/lib/causeway && chown 1000:1000 /var/lib/causeway
VOLUME /var/lib/causeway
USER 1000:1000
# gRPC (clients and other nodes), HTTP (probes and administration), Redis clients.
EXPOSE 50051 8080 6379
HEALTHCHECK --interval=5s --timeout=10s --start-period=30s --retries=3 \
    CMD ["node", "-e", "fetch('http://127.0.0.1:'+(process.env.CAUSEWAY_HTTP_PORT||8080)+'/healthz').then(r=>process.exit(r.ok?0:1),()=>process.exit(1))"]
ENTRYPOINT ["node", "/app/scripts/causeway.js"]
CMD ["node"]
