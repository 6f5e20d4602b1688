FROM node:20.20.2-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY patches patches
RUN npm ci --ignore-scripts && npx patch-package --error-on-fail
COPY tsconfig.json ./
COPY services services
RUN npx tsc --build && npm prune --omit=dev

FROM node:20.20.2-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY package.json LICENSE ./
COPY schemas schemas
COPY config config
USER node
# The poller's, processor's, sink's and simulator's telemetry.
EXPOSE 9301 9302 9303 9304
STOPSIGNAL SIGTERM
# A container runs one service: it is healthy when that one is ready.
HEALTHCHECK --interval=5s --timeout=3s --start-period=60s --retries=6 \
  CMD ["node", "-e", "Promise.any([9301, 9302, 9303, 9304].map(async (port) => { const response = await fetch(`http://127.0.0.1:${port}/readyz`); if (!response.ok) throw response.status; })).catch(() => process.exit(1))"]
ENTRYPOINT ["node", "dist/services/cli/main.js"]
CMD ["--help"]
